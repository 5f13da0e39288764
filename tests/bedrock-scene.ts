import { signatureFault, type Script, type SigningSecret } from "@tuloy/testkit";

import { model, type TestProvider } from "./harness.ts";

/** What a scene's calls to Bedrock are signed with. The key is that of AWS's own examples. */
export const signing: SigningSecret = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  region: "eu-west-1",
  service: "bedrock",
};

export const sonnet45 = "anthropic.claude-sonnet-4-5-20250929-v1:0";

/** Bedrock, serving the tests' model under one of its ids. */
export function bedrockServing(
  id: string = sonnet45,
  keys: readonly string[] = [`${signing.accessKeyId}:${signing.secretAccessKey}`],
): Omit<TestProvider, "url"> {
  return {
    kind: "bedrock",
    keys,
    facts: `location: ${signing.region}`,
    model: null,
    models: [`${model}: { id: "${id}", price: { input: 1, output: 2, cached_input: 0.1 } }`],
  };
}

/** A script that only answers what is signed as it has to be: anything else is an error of the test. */
export function signed(script: Script): Script {
  return (reply, request) => {
    const fault = signatureFault(request, signing);
    if (fault !== null) throw new Error(fault);
    return script(reply, request);
  };
}
