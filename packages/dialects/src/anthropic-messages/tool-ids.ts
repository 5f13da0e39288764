/** What an id of a call may look like (`tool_use.id` in https://platform.claude.com/docs/en/api/messages). */
const valid = /^[a-zA-Z0-9_-]+$/;

/** An id that Anthropic takes, the same for the call and its result, and different for different ids. */
export function toolUseId(id: string): string {
  if (valid.test(id)) return id;
  if (id === "") return "call_0";
  return `x_${Buffer.from(id).toString("base64url")}`;
}
