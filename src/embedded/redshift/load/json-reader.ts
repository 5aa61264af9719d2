/**
 * JSON: one object after the other, whose values are found by the columns' names or by paths. Values keep
 * their text: a number of forty digits arrives as it was written.
 */

import type { JsonPath } from "./json-paths.ts";
import { bytesToUtf8, RecordReader, RowError, utf8ToBytes } from "./row.ts";

/** The columns' values in the text of one object; undefined where there is none. */
type Find = (object: string) => readonly (string | null | undefined)[];

export class JsonReader extends RecordReader {
  readonly #find: Find;

  constructor(find: Find) {
    super(0);
    this.#find = find;
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
    return this.#find(record.trim());
  }
}

/** `JSON 'auto'` */
export function byName(columns: readonly string[], ignoreCase: boolean): Find {
  const places = new Map(columns.map((name, index) => [name, index]));
  return (object) => {
    const fields: (string | null | undefined)[] = Array.from({ length: places.size });
    for (const [key, raw] of members(object)) {
      const index = places.get(ignoreCase ? key.toLowerCase() : key);
      if (index !== undefined) fields[index] = valueOf(raw);
    }
    return fields;
  };
}

/** `JSON 's3://…'` */
export function byPaths(paths: readonly JsonPath[]): Find {
  return (record) => {
    requireJson(record);
    return paths.map((path) => {
      const found = path.reduce<string | undefined>(stepInto, record);
      return found === undefined ? undefined : valueOf(found);
    });
  };
}

function stepInto(text: string | undefined, step: string | number): string | undefined {
  if (text === undefined) return undefined;
  if (typeof step === "number") return text.startsWith("[") ? [...elements(text)][step] : undefined;
  if (!text.startsWith("{")) return undefined;
  const key = utf8ToBytes(step);
  // Of keys that come twice, the last one counts, as by name.
  return [...membersOf(text)].findLast(([name]) => name === key)?.[1];
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
function members(text: string): Generator<readonly [string, string]> {
  requireJson(text);
  if (!text.startsWith("{")) throw invalid();
  return membersOf(text);
}

function requireJson(text: string): void {
  try {
    JSON.parse(bytesToUtf8(text));
  } catch {
    throw invalid();
  }
}

function* membersOf(text: string): Generator<readonly [string, string]> {
  for (let at = skipBlanks(text, 1); text[at] === '"'; ) {
    const keyEnd = endOfValue(text, at);
    const valueStart = skipBlanks(text, skipBlanks(text, keyEnd) + 1);
    const valueEnd = endOfValue(text, valueStart);
    yield [utf8ToBytes(parse(text.slice(at, keyEnd))), text.slice(valueStart, valueEnd)];
    at = skipBlanks(text, skipBlanks(text, valueEnd) + 1);
  }
}

/** The values of an array, as they stand there. */
function* elements(text: string): Generator<string> {
  for (let at = skipBlanks(text, 1); text[at] !== "]"; ) {
    const end = endOfValue(text, at);
    yield text.slice(at, end);
    const next = skipBlanks(text, end);
    at = text[next] === "," ? skipBlanks(text, next + 1) : next;
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
