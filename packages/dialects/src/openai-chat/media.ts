/** What OpenAI bills for an image of 1024 × 1024 at high detail is 765; larger ones go to 1,105. */
export const tokensPerImage = 1000;
/** Some minutes of speech: OpenAI counts ten tokens a second of input audio. */
export const tokensPerAudio = 2000;
