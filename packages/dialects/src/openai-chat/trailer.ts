/** What ends a whole stream. */
export const trailer: Buffer = Buffer.from("data: [DONE]\n\n");
