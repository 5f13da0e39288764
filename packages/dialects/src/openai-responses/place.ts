import { isObject, parseJson, type JsonObject } from "../json/value.ts";

/** An item that a client was told of. */
export interface PlacedItem {
  readonly index: number;
  /** As `response.output_item.added` has it. */
  readonly begun: JsonObject;
  /** As `response.output_item.done` has it; null while it is open. */
  done: JsonObject | null;
}

/** More items than any answer has: a stream with more of them can't be gone on with. */
const maxItems = 4096;

/** How far a stream has come, for another that goes on after it: kept as the `head` of what was sent. */
export class Place {
  /** So that it is a head like that of any other dialect. */
  readonly [member: string]: unknown;
  /** The response object of `response.created`. */
  readonly response: JsonObject;
  readonly items: PlacedItem[] = [];
  /** Of the next event. */
  sequence = 0;
  /** So many items are of an answer that was begun in vain: what was sent of them counts no more. */
  discarded = 0;
  /** Its items are not as many as they are numbered, or more than are kept: nobody can go on with it. */
  strange = false;

  constructor(response: JsonObject) {
    this.response = response;
  }

  /** As it is now. */
  copy(): Place {
    const copied = new Place(this.response);
    copied.become(this);
    return copied;
  }

  /** Is from now on where another is. */
  become({ items, sequence, discarded }: Place): void {
    this.items.splice(0, Infinity, ...items.map(({ index, begun, done }) => ({ index, begun, done })));
    this.sequence = sequence;
    this.discarded = discarded;
  }

  /** Notes what an event of the API's own says of it. The event's data is looked into only where it has to be. */
  follow(name: string, data: string): void {
    this.sequence++;
    if (name !== "response.output_item.added" && name !== "response.output_item.done") return;
    const event = parseJson(data);
    if (!isObject(event) || !isObject(event.item)) return;
    const { output_index: index, item } = event;
    if (this.strange || typeof index !== "number") return;
    const known = this.items.find((placed) => placed.index === index);
    const done = name === "response.output_item.done" ? item : null;
    if (known === undefined) {
      this.strange = index !== this.items.length || index >= maxItems;
      if (!this.strange) this.items.push({ index, begun: item, done });
    } else known.done ??= done;
  }
}

/** What a stream of the API's own begins with. @returns null for any event but the first */
export function headOf(name: string, data: string): Place | null {
  const event = name === "response.created" ? parseJson(data) : null;
  if (!isObject(event) || !isObject(event.response)) return null;
  const place = new Place(event.response);
  place.sequence = 1;
  return place;
}

/** How it goes on. */
export function follow(head: JsonObject, name: string, data: string): void {
  if (head instanceof Place) head.follow(name, data);
}
