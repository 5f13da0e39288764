/** OpenAI and Azure answer 404 at the chat endpoint for these (https://platform.openai.com/docs/models). */
const responsesOnly = /^(o1-pro|o3-pro|o3-deep-research|o4-mini-deep-research|gpt-5(\.\d)?-(pro|codex.*))$/;

/** Whether a kind of provider serves the model by its Responses API only. */
export function onlyByResponses(kind: string, model: string): boolean {
  return (kind === "openai" || kind === "azure") && responsesOnly.test(model);
}
