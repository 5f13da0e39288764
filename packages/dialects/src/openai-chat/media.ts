/** What OpenAI bills for an image of 1024 × 1024 at high detail is 765; larger ones go to 1,105. */
export const tokensPerImage = 1000;
/** Some minutes of speech: OpenAI counts ten tokens a second of input audio. */
export const tokensPerAudio = 2000;
/** A page of a PDF has some 75 KB and 1,500 to 3,000 tokens (https://platform.claude.com/docs/en/build-with-claude/pdf-support). */
export const base64PerTokenOfFiles = 25;
