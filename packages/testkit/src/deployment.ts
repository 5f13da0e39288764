import type { Deployment } from "@tuloy/contract";

/** A deployment of model `m` at a provider, with nothing known that would exclude it. */
export function deployment(provider: string, fields: Partial<Deployment> = {}): Deployment {
  return {
    id: `${provider}/m`,
    provider,
    model: "m",
    upstreamModel: "m",
    operation: "chat",
    dialects: ["openai-chat"],
    region: null,
    contextTokens: null,
    outputTokens: null,
    capabilities: null,
    price: null,
    hiddenReasoning: false,
    quantization: null,
    owner: null,
    retains: null,
    trains: null,
    parameters: null,
    ...fields,
  };
}
