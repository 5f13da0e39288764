import { type Dispatcher, Pool } from "undici";

import { chatPath } from "./contenders/contender.ts";

export interface Answer {
  /** 0 when none arrived. */
  readonly status: number;
  readonly text: string;
  /** When the request was sent, when the first content arrived (null: none did) and when all was over, as `performance.now()`. */
  readonly sentAt: number;
  readonly firstContentAt: number | null;
  /** When each piece of content arrived; those that came in one read came at once. */
  readonly contentAt: readonly number[];
  readonly endedAt: number;
  /** Why it is not a whole answer, or null. A stream is whole when it ends with `[DONE]` and holds no error. */
  readonly failure: string | null;
}

/** A client of the chat endpoint with as many connections as it takes, and no time limits of its own. */
export class ChatClient {
  readonly #pool: Pool;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(origin: string, headers: Readonly<Record<string, string>>) {
    this.#pool = new Pool(origin, { allowH2: false, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
    this.#headers = { "content-type": "application/json", ...headers };
  }

  /** Sends one request and reads its answer to the end. Never rejects: what goes wrong is in `failure`. */
  async chat(body: string): Promise<Answer> {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const handler = new AnswerReader(resolve);
    this.#pool.dispatch({ path: chatPath, method: "POST", headers: this.#headers, body }, handler);
    return promise;
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

class AnswerReader implements Dispatcher.DispatchHandler {
  readonly #resolve: (answer: Answer) => void;
  readonly #sentAt = performance.now();
  readonly #pieces: Buffer[] = [];
  #status = 0;
  readonly #contentAt: number[] = [];

  constructor(resolve: (answer: Answer) => void) {
    this.#resolve = resolve;
  }

  onRequestStart(): void {
    // Required by undici; there is nothing to do yet.
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.#status = status;
  }

  onResponseData(_controller: Dispatcher.DispatchController, bytes: Buffer): void {
    const now = performance.now();
    for (const _ of bytes.toString("latin1").matchAll(contentPattern)) this.#contentAt.push(now);
    this.#pieces.push(bytes);
  }

  onResponseEnd(): void {
    const text = Buffer.concat(this.#pieces).toString();
    this.#finish(text, whyIncomplete(this.#status, text));
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#finish(Buffer.concat(this.#pieces).toString(), error.message);
  }

  #finish(text: string, failure: string | null): void {
    this.#resolve({
      status: this.#status,
      text,
      sentAt: this.#sentAt,
      firstContentAt: this.#contentAt[0] ?? null,
      contentAt: this.#contentAt,
      endedAt: performance.now(),
      failure,
    });
  }
}

/** Some text of the model: a `content` that is not empty. */
const contentPattern = /"content": ?"[^"]/g;

/** Whether an answer's bytes hold some text of the model. */
export function hasContent(bytes: string): boolean {
  return bytes.search(contentPattern) !== -1;
}

/** Why an answer is not a whole one, in words, or null when it is. */
export function whyIncomplete(status: number, text: string): string | null {
  if (status !== 200) return `status ${status}: ${text.slice(0, 200)}`;
  if (!text.startsWith("data:") && !text.startsWith(":")) return hasContent(text) ? null : "no content";
  if (text.includes('"error":')) return "an error in the stream";
  if (!hasContent(text)) return "no content";
  return /^data: ?\[DONE\]/m.test(text) ? null : "no [DONE]";
}
