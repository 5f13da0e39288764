import type { Deployment, Failure, Usage } from "@tuloy/contract";
import {
  continuationOf,
  continuationProbe,
  showsContinuation,
  type CompletionMode,
  type Continuation,
  type SentAnswer,
} from "@tuloy/dialects";
import type { ContinuationSkill } from "@tuloy/routing";

import type { Provider } from "../config/snapshot.ts";
import type { UpstreamRequest } from "../upstream/outlet.ts";
import { AnswerCall } from "./answer-call.ts";
import { providerOf, type AttemptContext } from "./attempt.ts";
import { encode, secretOf } from "./encode.ts";
import type { Interruption } from "./interrupt.ts";
import type { Asked } from "./read.ts";
import type { OpenAttempt } from "./record.ts";
import { StreamCall, type StreamOutcome } from "./stream-call.ts";
import type { CallContext } from "./upstream-call.ts";

interface Interrupted {
  readonly kind: "interrupted";
  readonly reason: Interruption;
}

/** The way in which servers of unknown kind are asked: those that do not know its members mostly ignore them. */
const triedWay = "vllm";

/** Whether a deployment is known to go on exactly, by its provider's configuration or kind. */
export function skillOf(deployment: Deployment, context: AttemptContext): ContinuationSkill {
  const { continuation } = providerOf(deployment, context);
  return continuation === null ? "unknown" : continuation === "none" ? "none" : "exact";
}

function wayOf(provider: Provider): Continuation | null {
  return continuationOf(provider.continuation ?? triedWay);
}

/** Asks a deployment to complete the answer, up to its first content. Everything of an ordinary attempt holds for it. */
export async function askToComplete(
  open: OpenAttempt,
  mode: CompletionMode,
  sent: SentAnswer,
  mayCut: () => boolean,
  asked: Asked,
  context: AttemptContext,
): Promise<StreamOutcome | Interrupted> {
  const { dialect, interrupt } = context;
  const { facts } = asked.request;
  const provider = providerOf(open.call.deployment, context);
  const continuation = mode === "exact" ? wayOf(provider) : null;
  const plain = encode(
    asked.request,
    open.call.deployment,
    provider,
    secretOf(provider, open.call.key.name),
    context.clientHeaders,
    asked.entry.model,
  );
  const request =
    mode === "exact" || mode === "soft"
      ? at(continuation, { ...plain, body: dialect.continueRequest(plain.body, sent, continuation) }, asked, provider)
      : plain;
  return new Promise((resolve) => {
    const settle = (outcome: StreamOutcome | Interrupted): void => {
      interrupt.listen(null);
      resolve(outcome);
    };
    const upstream = new StreamCall(callContext(open, provider, mayCut, asked, context), request, dialect, {
      wantsUsage: facts.wantsUsage,
      choices: facts.choices,
      stallLimits: asked.route.failover,
      resume: { mode, sent, continuation },
      settle,
    });
    open.upstream = upstream;
    interrupt.listen((reason) => {
      upstream.cancel();
      settle({ kind: "interrupted", reason });
    });
    if (!interrupt.reason) upstream.start();
  });
}

export type ProbeOutcome =
  | { readonly kind: "answered"; readonly continues: boolean; readonly usage: Usage | null }
  | { readonly kind: "failed"; readonly failure: Failure }
  | Interrupted;

/** Sends the smallest request that shows whether a deployment goes on with an answer. */
export async function askWhetherItContinues(
  open: OpenAttempt,
  asked: Asked,
  context: AttemptContext,
): Promise<ProbeOutcome> {
  const { dialect, interrupt } = context;
  const { deployment } = open.call;
  const provider = providerOf(deployment, context);
  const continuation = wayOf(provider);
  if (!continuation) return { kind: "answered", continues: false, usage: null };
  const plain = encode(
    asked.request,
    deployment,
    provider,
    secretOf(provider, open.call.key.name),
    {},
    deployment.model,
  );
  const body = continuationProbe(deployment.upstreamModel, continuation);
  return new Promise((resolve) => {
    const settle = (outcome: ProbeOutcome): void => {
      interrupt.listen(null);
      resolve(outcome);
    };
    const upstream = new AnswerCall(
      callContext(open, provider, () => true, asked, context),
      { ...plain, body },
      dialect,
      (outcome) => {
        const answer = outcome.kind === "answered" ? outcome.answer : outcome.empty;
        if (answer) settle({ kind: "answered", continues: showsContinuation(answer.body), usage: answer.usage });
        else if (outcome.kind === "failed") settle({ kind: "failed", failure: outcome.failure });
      },
    );
    open.upstream = upstream;
    interrupt.listen((reason) => {
      upstream.cancel();
      settle({ kind: "interrupted", reason });
    });
    if (!interrupt.reason) upstream.start();
  });
}

function callContext(
  open: OpenAttempt,
  provider: Provider,
  mayCut: () => boolean,
  asked: Asked,
  { outlet, clock, fault }: AttemptContext,
): CallContext {
  return {
    outlet,
    clock,
    preset: provider.preset,
    secret: secretOf(provider, open.call.key.name),
    lease: open.call.key,
    limits: { connectMs: asked.route.failover.connectMs, answerMs: open.call.firstTokenMs },
    mayCut,
    fault,
  };
}

/** Some ways exist under another path only. */
function at(
  continuation: Continuation | null,
  request: UpstreamRequest,
  asked: Asked,
  provider: Provider,
): UpstreamRequest {
  const endpoint = provider.preset.endpoints[asked.request.operation]?.[0];
  if (!continuation || continuation.basePath === null || !endpoint) return request;
  return { ...request, path: continuation.basePath + endpoint.path };
}
