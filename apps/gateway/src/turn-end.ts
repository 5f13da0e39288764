/** To read JSON of this many bytes takes longer than ten small requests do: what waits is written before that. */
export const largeBytes = 256 * 1024;

/**
 * Writes that wait for the end of the event loop's turn.
 *
 * A turn takes in all that has come on every socket, one after the other. A write in between wakes its receiver, which has
 * little to do and sleeps again before the next write wakes it again; on the same machine the waker pays for that, a sixth of a small
 * request. Written together when all has been taken in, they wake each receiver once. Under little load a turn has one
 * socket in it, and next to nothing waits (decision 0025).
 */
let held: (() => void)[] = [];

/** Runs it when everything that has come in this turn has been taken in; in the order of the calls. It must not throw. */
export function atTurnEnd(write: () => void): void {
  if (held.push(write) === 1) setImmediate(writeHeld);
}

/** Writes at once what waits. To be called before work that takes long. */
export function writeHeld(): void {
  if (held.length === 0) return;
  const writes = held;
  held = [];
  for (const write of writes) write();
}
