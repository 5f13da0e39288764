import OpenAI from "openai";

import type { Clock } from "@tuloy/contract";

/** What one request of the demo came to. */
export interface Sample {
  /** When it was sent and when it ended, by the clock. */
  readonly sentAt: number;
  readonly endedAt: number;
  /** Milliseconds to the first token; null for requests that do not stream, and for failed ones. */
  readonly firstTokenMs: number | null;
  readonly failed: string | null;
}

export interface LoadOptions {
  readonly url: string;
  readonly apiKey: string;
  readonly clock: Clock;
  /** Requests under way at the same time. */
  readonly concurrency: number;
  readonly onSample: (sample: Sample) => void;
}

const questions = [
  "What makes a good bridge?",
  "Explain tides to a child.",
  "How is bread made?",
  "Why is the sky blue?",
  "Name three uses of bamboo.",
  "What does a lighthouse keeper do?",
];

/**
 * An application at work: official SDK, no retries of its own, so that nothing but the gateway hides a failure. Eight of ten
 * requests stream a chat answer, one is a whole answer, one asks for embeddings.
 */
export class DemoLoad {
  readonly #client: OpenAI;
  readonly #options: LoadOptions;
  readonly #answers = new Map<string, string>();
  #sent = 0;
  #stopping = false;
  #workers: Promise<void>[] = [];

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#client = new OpenAI({ baseURL: `${options.url}/v1`, apiKey: options.apiKey, maxRetries: 0 });
  }

  start(): void {
    this.#workers = Array.from({ length: this.#options.concurrency }, () => this.#work());
  }

  /** Resolves when the requests under way are over. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#workers);
  }

  async #work(): Promise<void> {
    while (!this.#stopping) await this.#once();
  }

  async #once(): Promise<void> {
    const { clock, onSample } = this.#options;
    const number = this.#sent++;
    const sentAt = clock.now();
    let firstTokenMs: number | null = null;
    let failed: string | null = null;
    try {
      if (number % 10 === 3) await this.#whole(number);
      else if (number % 10 === 7) await this.#embed(number);
      else firstTokenMs = await this.#stream(number, sentAt);
    } catch (error) {
      failed = error instanceof Error ? error.message : String(error);
    }
    onSample({ sentAt, endedAt: clock.now(), firstTokenMs, failed });
  }

  async #stream(number: number, sentAt: number): Promise<number> {
    const stream = await this.#client.chat.completions.create({
      model: "sandbox-chat",
      stream: true,
      messages: [{ role: "user", content: this.#question(number) }],
    });
    let firstTokenMs: number | null = null;
    let finished = false;
    let text = "";
    for await (const chunk of stream) {
      const [choice] = chunk.choices;
      if (firstTokenMs === null && choice?.delta.content) firstTokenMs = this.#options.clock.now() - sentAt;
      if (choice?.finish_reason) finished = true;
      text += choice?.delta.content ?? "";
    }
    if (firstTokenMs === null || !finished) throw new Error("the stream ended without a whole answer");
    // Simulated answers are the same at every provider: what was put together wrongly shows.
    const question = this.#question(number);
    const known = this.#answers.get(question) ?? text;
    this.#answers.set(question, known);
    if (text !== known) throw new Error("the answer is not the one that this question always gets");
    return firstTokenMs;
  }

  async #whole(number: number): Promise<void> {
    const answer = await this.#client.chat.completions.create({
      model: "sandbox-chat",
      messages: [{ role: "user", content: this.#question(number) }],
    });
    if (!answer.choices[0]?.message.content) throw new Error("the answer is empty");
  }

  async #embed(number: number): Promise<void> {
    const answer = await this.#client.embeddings.create({ model: "sandbox-embedding", input: this.#question(number) });
    if (!answer.data[0]?.embedding.length) throw new Error("the embedding is empty");
  }

  #question(number: number): string {
    return questions[number % questions.length] ?? "Hello?";
  }
}
