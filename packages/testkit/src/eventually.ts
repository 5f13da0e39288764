import { realClock } from "./real-clock.ts";

/**
 * Waits until `condition` gives something truthy, looking again after every turn of the event loop.
 * For what happens on a socket, where no promise tells: never for time, which is a fake clock's.
 * @param what names the condition in the error
 * @returns what the condition gave
 * @throws after `withinMs` (5,000) of real time
 */
export async function eventually<T>(
  condition: () => T | Promise<T>,
  what = "the condition",
  withinMs = 5_000,
): Promise<NonNullable<Awaited<T>>> {
  const end = realClock.now() + withinMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (realClock.now() > end) throw new Error(`${what} did not come true within ${withinMs} ms`);
    await turn();
  }
}

/** One turn of the event loop: what was ready on sockets has been handled, and every promise that it settled. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
