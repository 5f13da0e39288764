import type { SandboxContinuation } from "@tuloy/contract";

import type { ChatAsk } from "./ask.ts";
import { answerPieces } from "./text.ts";

/** A simulated chat completion, before it is written as a stream or as JSON. */
export interface ChatAnswer {
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly ask: ChatAsk;
  /** One element a token. */
  readonly pieces: readonly string[];
  readonly finishReason: "stop" | "length";
}

export interface AnswerOptions {
  /** About how many tokens. Absent: by the prompt. */
  readonly length?: number | undefined;
  /** What is done with a last assistant message. Default exact. */
  readonly continuation?: SandboxContinuation | undefined;
}

/** The answer to a request: whole, or cut at the limit that it set. */
export function answerChat(
  ask: ChatAsk,
  id: string,
  created: number,
  { length, continuation = "exact" }: AnswerOptions = {},
): ChatAnswer {
  const sentences = answerPieces(ask.prompt, length);
  const full = ask.jsonObject ? ['{"', "answer", '": "', ...sentences, '"}'] : sentences;
  const whole = ask.begun === null || continuation === "restart" ? full : goingOn(full, ask, continuation === "echo");
  const fits = ask.maxTokens === null || whole.length <= ask.maxTokens;
  return {
    id,
    created,
    ask,
    pieces: fits ? whole : whole.slice(0, ask.maxTokens ?? undefined),
    finishReason: fits ? "stop" : "length",
  };
}

/** The pieces of an answer from where a beginning stops; after a beginning that is not this answer's, other sentences. */
function goingOn(full: readonly string[], { prompt, begun }: ChatAsk, echo: boolean): string[] {
  const beginning = begun ?? "";
  let rest: string[];
  if (full.join("").startsWith(beginning)) {
    let passed = 0;
    rest = full.flatMap((piece) => {
      const left = piece.slice(Math.max(0, beginning.length - passed));
      passed += piece.length;
      return left === "" ? [] : [left];
    });
  } else {
    rest = answerPieces(`${prompt}\n${beginning}`, full.length).map((piece, index) =>
      index === 0 ? ` ${piece}` : piece,
    );
  }
  return echo ? [beginning, ...rest] : rest;
}

/** The answer as a `chat.completion` object. */
export function completionObject(answer: ChatAnswer): Record<string, unknown> {
  const message = { role: "assistant", content: answer.pieces.join(""), refusal: null };
  return {
    id: answer.id,
    object: "chat.completion",
    created: answer.created,
    model: answer.ask.model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: answer.finishReason }],
    usage: usageObject(answer),
  };
}

/** Writes the events of one streamed answer. What is the same in every chunk is built once. */
export class ChunkWriter {
  readonly #answer: ChatAnswer;
  readonly #before: string;
  readonly #after: string;

  constructor(answer: ChatAnswer) {
    const { id, created, ask } = answer;
    this.#answer = answer;
    const same = JSON.stringify({ id, object: "chat.completion.chunk", created, model: ask.model });
    this.#before = `data: ${same.slice(0, -1)},"choices":[{"index":0,"delta":`;
    // OpenAI sends a null usage with every chunk but the last, once usage was asked for.
    this.#after = ask.includeUsage ? '}],"usage":null}\n\n' : "}]}\n\n";
  }

  role(): string {
    return this.#chunk('{"role":"assistant","content":"","refusal":null}', "null");
  }

  piece(index: number): string {
    return this.#chunk(`{"content":${JSON.stringify(this.#answer.pieces[index] ?? "")}}`, "null");
  }

  /** A chunk whose JSON stops in the middle of a string. */
  broken(): string {
    return `${this.#before}{"content":" brok\n\n`;
  }

  /** The finish reason, the usage if it was asked for, and `[DONE]` unless that is to be withheld. */
  ending(withDone: boolean): string {
    const finish = this.#chunk("{}", JSON.stringify(this.#answer.finishReason));
    return finish + (this.#answer.ask.includeUsage ? this.#usage() : "") + (withDone ? "data: [DONE]\n\n" : "");
  }

  #chunk(delta: string, finishReason: string): string {
    return `${this.#before}${delta},"logprobs":null,"finish_reason":${finishReason}${this.#after}`;
  }

  #usage(): string {
    const { id, created, ask } = this.#answer;
    const chunk = { id, object: "chat.completion.chunk", created, model: ask.model, choices: [] };
    return `data: ${JSON.stringify({ ...chunk, usage: usageObject(this.#answer) })}\n\n`;
  }
}

function usageObject({ ask, pieces }: ChatAnswer): Record<string, number> {
  return {
    prompt_tokens: ask.promptTokens,
    completion_tokens: pieces.length,
    total_tokens: ask.promptTokens + pieces.length,
  };
}
