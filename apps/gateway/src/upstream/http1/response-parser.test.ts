import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ResponseParser, type ResponseSink } from "./response-parser.ts";

/** What a parser told, as one line each. */
class Told implements ResponseSink {
  readonly lines: string[] = [];
  status = 0;
  headers: object = {};
  body = "";
  onHead(status: number, headers: object): void {
    this.status = status;
    this.headers = { ...headers };
    this.lines.push("head");
  }
  onBody(bytes: Buffer): void {
    if (bytes.length === 0) throw new Error("an empty piece");
    this.body += bytes.toString("latin1");
  }
  onWhole(persistent: boolean): void {
    this.lines.push(persistent ? "whole" : "whole, closing");
  }
}

/** Reads these bytes in these pieces. @returns what was told, and what was wrong */
function read(text: string, cuts: readonly number[] = []): { readonly told: Told; readonly wrong: string | null } {
  const told = new Told();
  const parser = new ResponseParser(told);
  const bytes = Buffer.from(text, "latin1");
  const places = [0, ...cuts.filter((cut) => cut > 0 && cut < bytes.length).toSorted((a, b) => a - b), bytes.length];
  for (const [index, place] of places.entries()) {
    const next = places[index + 1];
    // A copy: the parser may move what it was given.
    const wrong = next === undefined || next === place ? null : parser.read(Buffer.from(bytes.subarray(place, next)));
    if (wrong !== null) return { told, wrong };
  }
  return { told, wrong: null };
}

const cutting = fc.array(fc.nat(2000), { maxLength: 40 });

const latin1 = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 300,
});

/** A body as chunks of any sizes, written in any way that the standard permits. */
const chunked = fc.array(fc.tuple(latin1, fc.constantFrom("", ";x", ' ;a="b"', "\t"), fc.boolean())).map((chunks) => {
  const kept = chunks.filter(([data]) => data !== "");
  const framed = kept.map(([data, extension, upper]) => {
    const size = data.length.toString(16);
    return `${upper ? size.toUpperCase() : `00${size}`}${extension}\r\n${data}\r\n`;
  });
  return { text: kept.map(([data]) => data).join(""), framed: framed.join("") };
});

describe("wherever a response is cut on its way,", () => {
  it("a body with a length arrives as it is", () => {
    fc.assert(
      fc.property(latin1, cutting, (body, cuts) => {
        const { told, wrong } = read(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`, cuts);
        expect(wrong).toBeNull();
        expect([told.status, told.body, told.lines]).toEqual([200, body, ["head", "whole"]]);
      }),
    );
  });

  it("chunks arrive without their framing", () => {
    fc.assert(
      fc.property(chunked, fc.constantFrom("", "X-Sum: 1\r\n", "a: b\r\nc:\r\n"), cutting, (body, trailers, cuts) => {
        const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n";
        const { told, wrong } = read(`${head}${body.framed}0\r\n${trailers}\r\n`, cuts);
        expect(wrong).toBeNull();
        expect([told.body, told.lines]).toEqual([body.text, ["head", "whole"]]);
      }),
    );
  });

  it("what is announced before it is passed over", () => {
    fc.assert(
      fc.property(fc.nat(5), cutting, (count, cuts) => {
        const interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n".repeat(count);
        const { told, wrong } = read(`${interim}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`, cuts);
        expect(wrong).toBeNull();
        expect([told.status, told.body, told.headers]).toEqual([200, "ok", { "content-length": "2" }]);
      }),
    );
  });

  it("what comes is read as when it comes in one piece, whatever bytes it has", () => {
    const piece = fc.constantFrom(
      "HTTP/1.1 200 OK",
      "\r\n",
      "\r",
      "\n",
      "a: b",
      "0",
      "1f",
      "content-length: 3",
      ": ",
      "\0",
    );
    const response = fc.oneof(
      fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join("")),
      fc.array(piece, { maxLength: 20 }).map((pieces) => `HTTP/1.1 200 OK\r\n\r\n${pieces.join("")}`),
      fc
        .array(piece, { maxLength: 20 })
        .map((pieces) => `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${pieces.join("")}`),
    );
    fc.assert(
      fc.property(response, cutting, (text, cuts) => {
        const [one, other] = [read(text), read(text, cuts)];
        expect(other.wrong).toBe(one.wrong);
        expect([other.told.lines, other.told.status, other.told.headers]).toEqual([
          one.told.lines,
          one.told.status,
          one.told.headers,
        ]);
        expect(other.told.body).toBe(one.told.body);
      }),
    );
  });
});

describe("the headers of a response", () => {
  const headers = (lines: string): object => read(`HTTP/1.1 200 OK\r\n${lines}content-length: 0\r\n\r\n`).told.headers;

  it("have lower-case names, and values without the blanks around them", () => {
    expect(headers("X-Request-ID:\t a b \t\r\nEmpty:\r\n")).toEqual({
      "x-request-id": "a b",
      empty: "",
      "content-length": "0",
    });
  });

  it("keep every byte of a value, a no-break space too", () => {
    expect(headers("a: \xa0\xe9\r\n")).toMatchObject({ a: "\xa0\xe9" });
  });

  it("are joined where one came twice, but cookies", () => {
    expect(headers("via: a\r\nVia: b\r\nset-cookie: c\r\nset-cookie: d\r\n")).toMatchObject({
      via: "a, b",
      "set-cookie": ["c", "d"],
    });
  });

  it("are the first where one came twice that can only be said once", () => {
    expect(headers("retry-after: 5\r\nRetry-After: 7\r\ncontent-type: a/b\r\ncontent-type: c/d\r\n")).toMatchObject({
      "retry-after": "5",
      "content-type": "a/b",
    });
  });

  it("may be called like members of objects", () => {
    const { told } = read("HTTP/1.1 200 OK\r\n__proto__: a\r\nconstructor: b\r\ncontent-length: 0\r\n\r\n");
    expect(Object.entries(told.headers)).toEqual(
      expect.arrayContaining([
        ["__proto__", "a"],
        ["constructor", "b"],
      ]),
    );
  });
});

describe("a connection is kept", () => {
  it.each([
    ["HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "whole"],
    ["HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n", "whole"],
    ["HTTP/1.1 204 No Content\r\n\r\n", "whole"],
    ["HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", "whole"],
    ["HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n", "whole, closing"],
    ["HTTP/1.1 304 Not Modified\r\ntransfer-encoding: chunked\r\n\r\n", "whole, closing"],
    ["HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", "whole, closing"],
    ["HTTP/1.1 200 OK\r\nconnection: Close\r\ncontent-length: 0\r\n\r\n", "whole, closing"],
    ["HTTP/1.1 200 OK\r\nconnection: x, close\r\ncontent-length: 0\r\n\r\n", "whole, closing"],
    ["HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n", "whole, closing"],
    ["HTTP/1.0 200 OK\r\nconnection: Keep-Alive\r\ncontent-length: 0\r\n\r\n", "whole"],
    ["HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nH", "whole, closing"],
    ["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nH", "whole, closing"],
  ])("or not, as the server says and does: %j", (text, end) => {
    expect(read(text)).toMatchObject({ wrong: null, told: { lines: ["head", end] } });
  });

  it("until a body without a length is over, which only its closing tells", () => {
    const told = new Told();
    const parser = new ResponseParser(told);
    expect(parser.read(Buffer.from("HTTP/1.1 200 OK\r\n\r\nso "))).toBeNull();
    expect(parser.read(Buffer.from("far"))).toBeNull();
    expect(told.lines).toEqual(["head"]);
    expect(parser.closed()).toBe(true);
    expect([told.body, told.lines]).toEqual(["so far", ["head", "whole, closing"]]);
  });

  it.each([
    "",
    "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n",
  ])("and its closing breaks what has a length: %j", (text) => {
    const told = new Told();
    const parser = new ResponseParser(told);
    expect(parser.read(Buffer.from(text))).toBeNull();
    expect(parser.closed()).toBe(false);
    expect(told.lines).not.toContain("whole, closing");
  });
});

describe("what could be read in two ways is refused:", () => {
  const ok = "HTTP/1.1 200 OK\r\n";
  const chunks = `${ok}transfer-encoding: chunked\r\n\r\n`;
  it.each([
    ["no HTTP at all", "SSH-2.0-OpenSSH\r\n\r\n", "begins with"],
    ["another version", "HTTP/2 200\r\n\r\n", "begins with"],
    ["a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", "begins with"],
    ["another protocol", "HTTP/1.1 101 Switching Protocols\r\n\r\n", "another protocol"],
    [
      "a length and chunks",
      `${ok}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n`,
      "content-length and a transfer",
    ],
    ["two lengths", `${ok}content-length: 1\r\ncontent-length: 2\r\n\r\n`, "two lengths"],
    ["a list of lengths", `${ok}content-length: 1, 1\r\n\r\n`, 'content-length is "1, 1"'],
    ["a negative length", `${ok}content-length: -1\r\n\r\n`, "content-length"],
    ["a hexadecimal length", `${ok}content-length: 0x10\r\n\r\n`, "content-length"],
    ["an encoding beside chunks", `${ok}transfer-encoding: gzip, chunked\r\n\r\n`, "transfer-encoding"],
    ["two encodings", `${ok}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n`, "transfer-encoding"],
    ["a folded header", `${ok}a: b\r\n c\r\n\r\n`, "not a header"],
    ["a blank before the colon", `${ok}content-length : 1\r\n\r\n`, "not a header"],
    ["a header without a name", `${ok}: a\r\n\r\n`, "not a header"],
    ["a header without a colon", `${ok}a\r\n\r\n`, "not a header"],
    ["a lone line feed", `${ok}a: b\nc: d\r\n\r\n`, "control character"],
    ["a lone carriage return", `${ok}a: b\rc\r\n\r\n`, "control character"],
    ["a null byte", `${ok}a: \0\r\n\r\n`, "control character"],
    ["a chunk without a size", `${chunks};x\r\n\r\n`, "no size"],
    ["a chunk of a signed size", `${chunks}+1\r\na\r\n`, "no size"],
    ["a chunk of a size with a prefix", `${chunks}0x1\r\na\r\n`, "not a number"],
    ["a chunk longer than it says", `${chunks}1\r\nab\r\n`, "longer than its size"],
    ["a chunk of more than 4 GiB", `${chunks}100000000\r\n`, "4 GiB"],
    ["a size that ends in half a line end", `${chunks}1\nab`, "not a number"],
    ["a size that ends in another half", `${chunks}1\r-`, "half a line end"],
    ["a control character in an extension", `${chunks}1;\0\r\na\r\n`, "control character"],
  ])("%s", (_what, text, why) => {
    const { told, wrong } = read(text);
    expect(wrong).toContain(why);
    expect(told.lines).not.toContain("whole");
  });
});

describe("what would never end is refused:", () => {
  it.each([
    ["a head", "HTTP/1.1 200 OK\r\n", "a: b\r\n".repeat(10_000), "larger than 32 KiB"],
    [
      "the extensions of chunks",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
      "1;xxxxxxxx\r\na\r\n".repeat(4000),
      "extensions",
    ],
    ["trailers", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", "a: b\r\n".repeat(10_000), "trailers"],
    ["announcements", "", "HTTP/1.1 102 Processing\r\n\r\n".repeat(1000), "announces"],
  ])("%s", (_what, begin, more, why) => {
    expect(read(begin + more).wrong).toContain(why);
    expect(
      read(
        begin + more,
        Array.from({ length: 500 }, (_, i) => i * 97),
      ).wrong,
    ).toContain(why);
  });
});

it("one response after the other is read over the same connection", () => {
  const told = new Told();
  const parser = new ResponseParser(told);
  for (let i = 0; i < 3; i++) {
    expect(parser.read(Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na"))).toBeNull();
    expect(
      parser.read(Buffer.from("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nb\r\n0\r\n\r\n")),
    ).toBeNull();
  }
  expect(told.body).toBe("ababab");
  expect(told.lines).toEqual(Array.from({ length: 6 }, () => ["head", "whole"]).flat());
});
