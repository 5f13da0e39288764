/** An error as Node gives one for a connection. */
export function connectionError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
