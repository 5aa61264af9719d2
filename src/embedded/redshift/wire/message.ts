/**
 * Messages of the Postgres protocol 3: cut out of a byte stream, and built. It knows the framing and
 * the few messages that the stand-in itself reads or writes; all others stay bytes.
 */

/** Types of messages, by their letter. What 'C', 'D', 'E', 'H', 'S' mean depends on the direction. */
export const code = (letter: string): number => letter.charCodeAt(0);

/** One whole message, its type and length included. */
export type Message = Buffer;

export const typeOf = (message: Message): number => message[0] ?? 0;

/** Cuts a stream into messages. Before the first complete start-up packet they have no type byte. */
export class MessageReader {
  #rest: Buffer = Buffer.alloc(0);
  #typed: boolean;

  constructor(typed: boolean) {
    this.#typed = typed;
  }

  /** The messages from now on begin with a type. */
  becomeTyped(): void {
    this.#typed = true;
  }

  feed(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
  }

  /** The next whole message, if it has arrived. */
  next(): Message | undefined {
    const at = this.#typed ? 1 : 0;
    if (this.#rest.length < at + 4) return undefined;
    const length = this.#rest.readUInt32BE(at) + at;
    if (this.#rest.length < length) return undefined;
    const message = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return message;
  }
}

/** Zero-terminated text, as the protocol has it. */
export const text = (value: string): Buffer => Buffer.from(`${value}\0`);

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

export function message(letter: string, ...body: readonly Buffer[]): Message {
  const length = body.reduce((sum, part) => sum + part.length, 4);
  return Buffer.concat([Buffer.from(letter, "latin1"), int32(length), ...body]);
}

export const query = (sql: string): Message => message("Q", text(sql));
export const commandComplete = (tag: string): Message => message("C", text(tag));
export const readyForQuery = (status: string): Message => message("Z", Buffer.from(status));
export const parameterStatus = (name: string, value: string): Message =>
  message("S", text(name), text(value));

/** The header of a message of rows, whose bytes follow. */
export function copyDataHeader(bytes: number): Buffer {
  const header = Buffer.allocUnsafe(5);
  header[0] = code("d");
  header.writeInt32BE(bytes + 4, 1);
  return header;
}

/** The text that begins at `from`, and where the next one begins. */
export function readText(bytes: Message, from: number): readonly [string, number] {
  const end = bytes.indexOf(0, from);
  return [bytes.toString("utf8", from, end), end + 1];
}

/** The fields of an ErrorResponse or NoticeResponse, by their letter. */
export function readFields(bytes: Message): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (let at = 5; bytes[at] !== undefined && bytes[at] !== 0; ) {
    const letter = String.fromCharCode(bytes[at] ?? 0);
    const [value, next] = readText(bytes, at + 1);
    fields.set(letter, value);
    at = next;
  }
  return fields;
}

function fields(letter: string, values: ReadonlyMap<string, string>): Message {
  const parts = [...values].map(([name, value]) =>
    Buffer.concat([Buffer.from(name, "latin1"), text(value)]),
  );
  return message(letter, ...parts, Buffer.from([0]));
}

export const errorResponse = (values: ReadonlyMap<string, string>): Message => fields("E", values);

/** Redshift reports loads and unloads as notices of severity INFO. */
export const info = (says: string): Message =>
  fields(
    "N",
    new Map([
      ["S", "INFO"],
      ["V", "INFO"],
      ["C", "00000"],
      ["M", says],
    ]),
  );

/** A DataRow's values as text; null is NULL. */
export function readRow(bytes: Message): readonly (string | null)[] {
  const values: (string | null)[] = [];
  let at = 7;
  for (let left = bytes.readInt16BE(5); left > 0; left -= 1) {
    const length = bytes.readInt32BE(at);
    at += 4;
    values.push(length < 0 ? null : bytes.toString("utf8", at, at + length));
    at += Math.max(length, 0);
  }
  return values;
}
