import { z } from "zod";

export const server = z
  .strictObject({
    host: z
      .string()
      .min(1, { error: "is empty; write an address such as 127.0.0.1 or 0.0.0.0" })
      .default("127.0.0.1")
      .describe("The address to listen on. Default 127.0.0.1: this machine only. A change needs a restart."),
    port: z
      .int()
      .min(0)
      .max(65_535)
      .default(8787)
      .describe("The TCP port to listen on, 0 for any free one. Default 8787. A change needs a restart."),
  })
  .prefault({})
  .describe("Where the gateway listens.");

export const data = z
  .strictObject({
    dir: z
      .string()
      .min(1, { error: "is empty; write a directory such as .tuloy" })
      .default(".tuloy")
      .describe("The directory of the database, made when it is missing. Default .tuloy. A change needs a restart."),
  })
  .prefault({})
  .describe("Where records are kept.");
