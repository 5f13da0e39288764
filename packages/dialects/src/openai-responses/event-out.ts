/** The events of one stream, as text, with sequence numbers that rise without gaps. */
export class EventOut {
  /** Of the next event. */
  sequence: number;
  #events: string[] = [];

  constructor(sequence: number) {
    this.sequence = sequence;
  }

  /** @param members what the event has beside its type and number, as the inside of a JSON object */
  add(type: string, members: string): void {
    this.#events.push(`event: ${type}\ndata: {"type":"${type}","sequence_number":${this.sequence++},${members}}\n\n`);
  }

  /** Empties it. */
  take(): string {
    const { length } = this.#events;
    if (length === 0) return "";
    const text = length === 1 ? (this.#events[0] ?? "") : this.#events.join("");
    this.#events = [];
    return text;
  }
}
