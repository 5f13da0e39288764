import { crc32 } from "node:zlib";

/**
 * One message of AWS's binary framing of streams, as `application/vnd.amazon.eventstream` has it: total length, length of the
 * headers, their checksum, the headers (all of them text here), the payload, a checksum of all.
 */
export function eventMessage(headers: Readonly<Record<string, string>>, payload: string | Uint8Array): Buffer {
  const fields = Buffer.concat(Object.entries(headers).map(([name, value]) => headerField(name, value)));
  const body = Buffer.from(payload);
  const total = 12 + fields.length + body.length + 4;
  const prelude = Buffer.alloc(12);
  prelude.writeUInt32BE(total, 0);
  prelude.writeUInt32BE(fields.length, 4);
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
  const message = Buffer.concat([prelude, fields, body]);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(message), 0);
  return Buffer.concat([message, checksum]);
}

/** The name's length, the name, 7 for text, the text's length in two bytes, the text. */
function headerField(name: string, value: string): Buffer {
  const text = Buffer.from(value);
  const length = Buffer.alloc(3);
  length.writeUInt8(7, 0);
  length.writeUInt16BE(text.length, 1);
  return Buffer.concat([Buffer.from([Buffer.byteLength(name)]), Buffer.from(name), length, text]);
}
