import type { ConcludeContext } from "../relay/conclude.ts";
import type { OpenAttempt } from "../relay/record.ts";
import type { StreamCall } from "../relay/stream-call.ts";
import { StateKeeper } from "./state-keeper.ts";

type Keeping = Pick<ConcludeContext, "asked" | "dialect" | "reply" | "responses">;

/** Records which provider keeps a whole answer, where its dialect has answers that are kept. */
export function keepAnswer(open: OpenAttempt, body: Buffer, context: Keeping): void {
  const { keptIn } = context.dialect;
  if (keptIn !== undefined && mayRecord(context)) context.reply.keepWith(keeperOf(open, context, () => keptIn(body)));
}

/** The same for a stream, at its end, or at once where it can be taken up again should it break. */
export function keepStream(open: OpenAttempt, stream: StreamCall, context: Keeping): StateKeeper | null {
  const { keptBy, isInBackground } = context.dialect;
  if (keptBy === undefined || !mayRecord(context)) return null;
  const keeper = keeperOf(open, context, () => {
    const head = stream.seen?.head ?? null;
    return head === null ? [] : keptBy(head);
  });
  context.reply.keepWith(keeper);
  const head = stream.seen?.head ?? null;
  if (head !== null && isInBackground?.(head) === true) void keeper.keep();
  return keeper;
}

function mayRecord({ asked }: Keeping): boolean {
  return asked.route.retention !== "none";
}

function keeperOf({ call }: OpenAttempt, { asked, responses }: Keeping, ids: () => readonly string[]): StateKeeper {
  return new StateKeeper(responses, asked.principal, { provider: call.deployment.provider, key: call.key.name }, ids);
}
