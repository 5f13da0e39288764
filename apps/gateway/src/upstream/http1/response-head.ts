import type { IncomingHttpHeaders } from "node:http";

/** How the end of a body is known (RFC 9112, section 6.3). A number: its length in bytes. */
type Framing = number | "chunked" | "close";

export interface ResponseHead {
  readonly status: number;
  /** By lower-case name; of a name that came twice the values are joined, but for cookies and for what can only be said once. Has no prototype. */
  readonly headers: IncomingHttpHeaders;
  readonly framing: Framing;
  /** The connection can carry another request when the body is whole. */
  readonly persistent: boolean;
}

/** Control characters, and line ends that are not both characters: what they mean differs from reader to reader. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const forbidden = /[\0-\x08\v\f\x0e-\x1f\x7f]|\r(?!\n)|(?:^|[^\r])\n/;

const statusLine = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: |$)/;

/** Said once, or the first time counts, as with Node's own client: two of them joined would say nothing. */
const single: ReadonlySet<string> = new Set([
  "age",
  "content-type",
  "date",
  "etag",
  "expires",
  "last-modified",
  "location",
  "retry-after",
  "retry-after-ms",
  "server",
]);

const token = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/;

const digits = /^\d{1,15}$/;

/** Names as they are written by servers, to what they are called. Bounded: a server may write what it likes. */
const knownNames = new Map<string, string>();
const maxKnownNames = 512;

/**
 * Reads the head of a response, up to its empty line, strictly: what could be read in two ways is refused, since a reader that
 * guesses can be made to take one answer for two.
 * @param text status line and header lines, one character a byte
 * @returns the head, or why it is not one
 */
export function readResponseHead(text: string): ResponseHead | string {
  if (forbidden.test(text)) return "its head has a control character or a lone line end";
  const lineEnd = endOfLine(text, 0);
  const [, minor, digitsOfStatus] = statusLine.exec(text.slice(0, lineEnd)) ?? [];
  if (digitsOfStatus === undefined) return `it begins with "${text.slice(0, Math.min(lineEnd, 40))}"`;
  const headers: Record<string, string | string[]> = Object.create(null);
  for (let at = lineEnd + 2; at < text.length;) {
    const end = endOfLine(text, at);
    const colon = text.indexOf(":", at);
    const name = colon === -1 || colon > end ? null : nameOf(text.slice(at, colon));
    if (name === null) return `"${text.slice(at, Math.min(end, at + 40))}" is not a header`;
    const wrong = add(headers, name, trimmed(text, colon + 1, end));
    if (wrong !== null) return wrong;
    at = end + 2;
  }
  return framed(Number(digitsOfStatus), headers, minor === "1");
}

function framed(status: number, headers: IncomingHttpHeaders, keepsByDefault: boolean): ResponseHead | string {
  const { connection, "transfer-encoding": encoding, "content-length": length } = headers;
  if (encoding !== undefined && length !== undefined) return "it has a content-length and a transfer-encoding";
  if (encoding !== undefined && encoding.toLowerCase() !== "chunked") return `its transfer-encoding is "${encoding}"`;
  if (length !== undefined && !digits.test(length)) return `its content-length is "${length}"`;
  const framing = framingOf(status, encoding, length);
  // What says that it has a body and may have none is followed by who knows what.
  const doubtful =
    encoding !== undefined ? framing === 0 || !keepsByDefault : status === 204 && Number(length ?? 0) > 0;
  const persistent = framing !== "close" && !doubtful && keeps(connection, keepsByDefault);
  return { status, headers, framing, persistent };
}

function framingOf(status: number, encoding: string | undefined, length: string | undefined): Framing {
  if (status < 200 || status === 204 || status === 304) return 0;
  if (encoding !== undefined) return "chunked";
  return length === undefined ? "close" : Number(length);
}

function keeps(connection: string | undefined, byDefault: boolean): boolean {
  if (connection === undefined) return byDefault;
  const wishes = connection.toLowerCase().split(",");
  if (wishes.some((wish) => wish.trim() === "close")) return false;
  return byDefault || wishes.some((wish) => wish.trim() === "keep-alive");
}

function add(headers: Record<string, string | string[]>, name: string, value: string): string | null {
  const before = headers[name];
  if (before === undefined) headers[name] = name === "set-cookie" ? [value] : value;
  else if (Array.isArray(before)) before.push(value);
  else if (name === "content-length") return before === value ? null : "it has two lengths";
  else if (!single.has(name)) headers[name] = `${before}, ${value}`;
  return null;
}

function nameOf(written: string): string | null {
  const known = knownNames.get(written);
  if (known !== undefined) return known;
  if (!token.test(written)) return null;
  const name = written.toLowerCase();
  if (knownNames.size < maxKnownNames && written.length <= 64) knownNames.set(written, name);
  return name;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf("\r\n", from);
  return end === -1 ? text.length : end;
}

/** Without the spaces and tabs around it. `trim` would take a no-break space too, which is a byte of the value. */
function trimmed(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
