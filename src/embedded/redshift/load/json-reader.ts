/**
 * JSON 'auto': one object after the other, keys matched to columns. Values keep their text: a number
 * of forty digits arrives as it was written.
 */

import { bytesToUtf8, RecordReader, RowError, utf8ToBytes } from "./row.ts";

export class JsonReader extends RecordReader {
  readonly #columns: ReadonlyMap<string, number>;
  readonly #ignoreCase: boolean;

  constructor(columns: readonly string[], ignoreCase: boolean) {
    super(0);
    this.#columns = new Map(columns.map((name, index) => [name, index]));
    this.#ignoreCase = ignoreCase;
  }

  /** An object with the blanks before and after it. */
  protected override nextAfter(text: string, from: number, last: boolean): number {
    const start = skipBlanks(text, from);
    const end = start === text.length ? -1 : endOfValue(text, start);
    if (end < 0) return last ? text.length : -1;
    const next = skipBlanks(text, end);
    return next === text.length && !last ? -1 : next;
  }

  protected override fieldsOf(record: string): readonly (string | null | undefined)[] | undefined {
    if (/^\s*$/.test(record)) return undefined;
    const text = record.trim();
    const fields: (string | null | undefined)[] = Array.from({ length: this.#columns.size });
    for (const [key, raw] of members(text)) {
      const name = this.#ignoreCase ? key.toLowerCase() : key;
      const index = this.#columns.get(name);
      if (index !== undefined) fields[index] = valueOf(raw);
    }
    return fields;
  }
}

function valueOf(raw: string): string | null {
  if (raw === "null") return null;
  return raw.startsWith('"') ? utf8ToBytes(parse(raw)) : raw;
}

/** A JSON string, from the bytes of its text. */
function parse(raw: string): string {
  try {
    return String(JSON.parse(bytesToUtf8(raw)));
  } catch {
    throw invalid();
  }
}

/** The keys and values of an object, the values as they stand there. */
function* members(text: string): Generator<readonly [string, string]> {
  try {
    JSON.parse(bytesToUtf8(text));
  } catch {
    throw invalid();
  }
  if (!text.startsWith("{")) throw invalid();
  for (let at = skipBlanks(text, 1); text[at] === '"'; ) {
    const keyEnd = endOfValue(text, at);
    const valueStart = skipBlanks(text, skipBlanks(text, keyEnd) + 1);
    const valueEnd = endOfValue(text, valueStart);
    yield [utf8ToBytes(parse(text.slice(at, keyEnd))), text.slice(valueStart, valueEnd)];
    at = skipBlanks(text, skipBlanks(text, valueEnd) + 1);
  }
}

/** Where the value at `from` ends; -1 when the text ends before. */
function endOfValue(text: string, from: number): number {
  const first = text[from];
  if (first === '"') return endOfString(text, from);
  if (first !== "{" && first !== "[") {
    const end = /[\s,}\]]/g;
    end.lastIndex = from;
    return end.exec(text)?.index ?? -1;
  }
  for (let at = from, depth = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === '"') {
      at = endOfString(text, at) - 1;
      if (at < 0) return -1;
    } else if (char === "{" || char === "[") depth += 1;
    else if (char === "}" || char === "]") depth -= 1;
    if (depth === 0) return at + 1;
  }
  return -1;
}

function endOfString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === '"') return at + 1;
  }
  return -1;
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && /\s/.test(text[at] ?? "")) at += 1;
  return at;
}

const invalid = (): RowError => new RowError(1224, "Invalid JSON object");
