import { crc32 } from "node:zlib";

const stringType = 7;
const preludeBytes = 12;
const checksumBytes = 4;

/**
 * A message of the framing that `EventStreamDecoder` cuts: lengths, their checksum, headers, payload, the checksum of all.
 * @param headers texts only, as the service's own are
 */
export function writeMessage(headers: Readonly<Record<string, string>>, payload: string): Buffer {
  const fields = Buffer.concat(Object.entries(headers).map(([name, value]) => writeHeader(name, value)));
  const body = Buffer.from(payload);
  const message = Buffer.alloc(preludeBytes + fields.length + body.length + checksumBytes);
  message.writeUInt32BE(message.length, 0);
  message.writeUInt32BE(fields.length, 4);
  message.writeUInt32BE(crc32(message.subarray(0, 8)), 8);
  fields.copy(message, preludeBytes);
  body.copy(message, preludeBytes + fields.length);
  const checksumAt = message.length - checksumBytes;
  message.writeUInt32BE(crc32(message.subarray(0, checksumAt)), checksumAt);
  return message;
}

function writeHeader(name: string, value: string): Buffer {
  const before = Buffer.from([name.length, ...Buffer.from(name), stringType, 0, 0]);
  const text = Buffer.from(value);
  before.writeUInt16BE(text.length, before.length - 2);
  return Buffer.concat([before, text]);
}

/** How many bytes the message has that begins with these; null: more are needed to know; 0: it is none. */
export function messageLength(bytes: Buffer): number | null {
  if (bytes.length < preludeBytes) return null;
  const length = bytes.readUInt32BE(0);
  const intact = crc32(bytes.subarray(0, 8)) === bytes.readUInt32BE(8);
  return intact && length >= preludeBytes + checksumBytes ? length : 0;
}
