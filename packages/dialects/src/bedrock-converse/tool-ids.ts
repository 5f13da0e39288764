/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolUseBlock.html, as it was before it allowed more. */
const valid = /^[a-zA-Z0-9_-]{1,64}$/;

/** An id that Converse takes: the same for a call and its result, and another one for another id. */
export function toolUseId(id: string): string {
  if (valid.test(id)) return id;
  return `x_${digest(id, 0x811c9dc5)}${digest(id, 0x9747b28c)}_${id.replaceAll(/[^a-zA-Z0-9_-]/g, "").slice(-40)}`;
}

/** FNV-1a over the text's UTF-16 units, in 8 hexadecimal digits. */
function digest(text: string, seed: number): string {
  let hash = seed;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}
