import type { Deployment, Failure, Usage } from "@tuloy/contract";
import {
  continuationOf,
  continuationProbe,
  isReadRequest,
  laneFor,
  openaiChat,
  showsContinuation,
  type ClientDialect,
  type CompletionMode,
  type Continuation,
  type SentAnswer,
} from "@tuloy/dialects";
import type { ContinuationSkill } from "@tuloy/routing";

import type { Provider } from "../config/snapshot.ts";
import type { UpstreamRequest } from "../upstream/outlet.ts";
import { AnswerCall } from "./answer-call.ts";
import { ownFault, providerOf, type AttemptContext } from "./attempt.ts";
import { knownWay, skillIn } from "./continuation-skill.ts";
import { spokenFor } from "./ask-otherwise.ts";
import { atBase, encode, secretOf } from "./encode.ts";
import type { Interruption } from "./interrupt.ts";
import { completingReadingFor, reportedAs } from "./lane.ts";
import type { Asked } from "./read.ts";
import type { OpenAttempt } from "./record.ts";
import { spokenNow } from "./spoken.ts";
import { StreamCall, type StreamOutcome } from "./stream-call.ts";
import type { CallContext, UpstreamCall } from "./upstream-call.ts";

interface Interrupted {
  readonly kind: "interrupted";
  readonly reason: Interruption;
}

/** A bug of ours kept the call from being made. */
type Faulty = Extract<StreamOutcome, { kind: "failed" }>;

/** The way in which servers of unknown kind are asked: those that do not know its members mostly ignore them. */
const triedWay = "vllm";

/** Whether a deployment is known to go on exactly, asked for this client. */
export function skillOf(deployment: Deployment, context: AttemptContext): ContinuationSkill {
  return skillIn(context.dialect.dialect, spokenNow(deployment, context), providerOf(deployment, context));
}

function wayOf(deployment: Deployment, provider: Provider, context: AttemptContext): Continuation | null {
  const known = knownWay(context.dialect.dialect, spokenNow(deployment, context), provider);
  return continuationOf(known ?? triedWay);
}

/** In which mode a deployment completes what, and whether the call may be cut at its limit. */
export interface Completing {
  readonly mode: CompletionMode;
  readonly sent: SentAnswer;
  readonly mayCut: () => boolean;
}

/** Asks a deployment to complete the answer, up to its first content. Everything of an ordinary attempt holds for it. Never rejects. */
export function askToComplete(
  open: OpenAttempt,
  completing: Completing,
  asked: Asked,
  context: AttemptContext,
): Promise<StreamOutcome | Interrupted> {
  return settling<StreamOutcome>(open, context, (settle) => completingCall(open, completing, asked, context, settle));
}

function completingCall(
  open: OpenAttempt,
  { mode, sent, mayCut }: Completing,
  asked: Asked,
  context: AttemptContext,
  settle: (outcome: StreamOutcome) => void,
): UpstreamCall {
  const { request: clients, route } = asked;
  const { facts } = clients;
  const deployment = spokenFor(clients, open.call.deployment, context);
  const provider = providerOf(deployment, context);
  const continuation = mode === "exact" ? wayOf(deployment, provider, context) : null;
  const plain = encode(
    clients,
    deployment,
    provider,
    secretOf(provider, open.call.key.name),
    context.clientHeaders,
    asked.entry.model,
  );
  const request =
    mode === "exact" || mode === "soft"
      ? goingOn(plain, sent, continuation, provider, continuing(deployment, context))
      : plain;
  const reading = completingReadingFor(clients, deployment, context, reportedAs(route, clients));
  return new StreamCall(callContext(open, provider, mayCut, asked, context), request, reading, {
    wantsUsage: facts.wantsUsage,
    choices: facts.choices,
    stallLimits: route.failover,
    resume: { mode, sent, continuation },
    settle,
  });
}

export type ProbeOutcome =
  | { readonly kind: "answered"; readonly continues: boolean; readonly usage: Usage | null }
  | { readonly kind: "failed"; readonly failure: Failure };

/** Sends the smallest request that shows whether a deployment goes on with an answer. Never rejects. */
export async function askWhetherItContinues(
  open: OpenAttempt,
  asked: Asked,
  context: AttemptContext,
): Promise<ProbeOutcome | Interrupted> {
  const { deployment } = open.call;
  const continuation = wayOf(deployment, providerOf(deployment, context), context);
  if (!continuation) return { kind: "answered", continues: false, usage: null };
  return settling<ProbeOutcome>(open, context, (settle) => probingCall(open, continuation, asked, context, settle));
}

function probingCall(
  open: OpenAttempt,
  continuation: Continuation,
  asked: Asked,
  context: AttemptContext,
  settle: (outcome: ProbeOutcome) => void,
): UpstreamCall {
  const { deployment } = open.call;
  const provider = providerOf(deployment, context);
  // Read as any request is, so that it goes out as what it is: no stream, with the parameters that the deployment takes.
  const probe = openaiChat.read(continuationProbe(deployment.upstreamModel, continuation));
  if (!isReadRequest(probe)) throw new Error(`the continuation probe is no valid request: ${probe.message}`);
  const secret = secretOf(provider, open.call.key.name);
  const request = encode(probe, deployment, provider, secret, {}, deployment.model);
  return new AnswerCall(
    callContext(open, provider, () => true, asked, context),
    request,
    openaiChat,
    (outcome) => {
      const answer = outcome.kind === "answered" ? outcome.answer : outcome.empty;
      if (answer) settle({ kind: "answered", continues: showsContinuation(answer.body), usage: answer.usage });
      else if (outcome.kind === "failed") settle({ kind: "failed", failure: outcome.failure });
    },
  );
}

/** Makes a call and waits until it is decided, or until the request is stopped from outside. Never rejects. */
function settling<Outcome>(
  open: OpenAttempt,
  context: AttemptContext,
  make: (settle: (outcome: Outcome) => void) => UpstreamCall,
): Promise<Outcome | Interrupted | Faulty> {
  const { interrupt } = context;
  return new Promise((resolve) => {
    const settle = (outcome: Outcome | Interrupted | Faulty): void => {
      interrupt.listen(null);
      resolve(outcome);
    };
    try {
      const upstream = make(settle);
      open.upstream = upstream;
      interrupt.listen((reason) => {
        upstream.cancel();
        settle({ kind: "interrupted", reason });
      });
      if (!interrupt.reason) upstream.start();
    } catch (error) {
      open.upstream?.cancel();
      settle({ kind: "failed", failure: ownFault(error, context), empty: null });
    }
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
    // Its errors are told to nobody but the trace.
    foreign: false,
    lease: open.call.key,
    limits: { connectMs: asked.route.failover.connectMs, answerMs: open.call.firstTokenMs },
    mayCut,
    fault,
  };
}

type ContinueRequest = ClientDialect["continueRequest"];

/** Whoever knows the dialect in which the deployment is asked also knows how it is asked to go on. */
function continuing(deployment: Deployment, { dialect }: AttemptContext): ContinueRequest {
  const lane = laneFor(dialect.dialect, deployment);
  return lane?.kind === "translate"
    ? (body, sent, continuation) => lane.upstream.continueRequest(body, sent, continuation)
    : (body, sent, continuation) => dialect.continueRequest(body, sent, continuation);
}

/** The request that asks to go on. Some ways exist under another path only. */
function goingOn(
  plain: UpstreamRequest,
  sent: SentAnswer,
  continuation: Continuation | null,
  provider: Provider,
  continueRequest: ContinueRequest,
): UpstreamRequest {
  const request = { ...plain, body: continueRequest(plain.body, sent, continuation) };
  const basePath = continuation?.basePath ?? null;
  return basePath === null ? request : atBase(request, provider, basePath);
}
