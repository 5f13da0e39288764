/** An HTTP request, without where it goes. */
export interface HttpRequest {
  readonly method: "POST" | "GET" | "DELETE";
  /** With the query. */
  readonly path: string;
  /** Flat: name, value, name, value. */
  readonly headers: readonly string[];
  /** Null: it has none. */
  readonly body: Buffer | null;
}

const token = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/;

/** Visible characters, blanks, and bytes above ASCII. */
const value = /^[\t\x20-\x7e\x80-\xff]*$/;

const target = /^\/[\x21-\x7e]*$/;

/** What says where the message ends and what becomes of the connection: the connection's own business. */
const framing: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "expect",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * The head of a request, one character a byte.
 * @param host where it goes; a `host` among the headers goes before it
 * @throws Error when something in it would not arrive as what it is: a line end in a header would begin another
 */
export function writeRequestHead({ method, path, headers, body }: HttpRequest, host: string): string {
  if (!target.test(path)) throw new Error(`the path "${shown(path)}" cannot be sent`);
  let fields = "";
  let ownHost: string | null = null;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? "";
    const said = headers[i + 1] ?? "";
    if (!token.test(name)) throw new Error(`the header name "${shown(name)}" cannot be sent`);
    if (!value.test(said)) throw new Error(`the value of the header ${name} has characters that cannot be sent`);
    if (framing.has(name.toLowerCase())) throw new Error(`the header ${name} cannot be set`);
    if (name.toLowerCase() === "host") ownHost = said;
    else fields += `${name}: ${said}\r\n`;
  }
  if (body !== null) fields += `content-length: ${body.length}\r\n`;
  return `${method} ${path} HTTP/1.1\r\nhost: ${ownHost ?? host}\r\nconnection: keep-alive\r\n${fields}\r\n`;
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 60)).slice(1, -1);
}
