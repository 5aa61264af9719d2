/**
 * JSON as Python reads and prints it (`json.loads`, `json.dumps`), into plain frozen JavaScript
 * values. Python tells 1.0 from 1 and keeps the order of keys such as "10"; a JavaScript value
 * cannot. Both are remembered beside the frozen value (a note per array or object, kept for as long
 * as it lives), so that what was read prints back the same. A copy made in code has no note: its
 * whole numbers print as ints, its keys in JavaScript's order.
 */
import { parsePythonInt, pythonFloatText } from "./python-number.ts";

/** Ints beyond 2^53 are bigints. Objects that were read have no prototype. */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

interface Note {
  /** Keys in the order in which they were written. */
  readonly keys?: readonly string[];
  /** Indexes or keys of the numbers that are whole and yet floats. */
  readonly floats?: ReadonlySet<string>;
}

const notes = new WeakMap<object, Note>();

/** A whole number that was written as a float, until its container takes note of it. */
class WholeFloat {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

const MAX_DEPTH = 500;
const WHITESPACE = /[ \t\n\r]*/y;
const STRING = /"(?:[^"\\]|\\.)*"/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?(e[+-]?[0-9]+)?/iy;
const WORD = /null|true|false|NaN|-?Infinity/y;
const WORDS: Readonly<Record<string, JsonValue>> = {
  null: null,
  true: true,
  false: false,
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
};

/** `json.loads(text)`. Throws a `SyntaxError` where Python raises. */
export function parsePythonJson(text: string): JsonValue {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.end();
  return value instanceof WholeFloat ? value.value : value;
}

class Reader {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): JsonValue | WholeFloat {
    if (depth > MAX_DEPTH) throw new SyntaxError(`more than ${MAX_DEPTH} levels deep`);
    this.#take(WHITESPACE);
    const start = this.#text[this.#position];
    if (start === "[") return this.#list(depth);
    if (start === "{") return this.#object(depth);
    if (start === '"') return this.#string();
    const word = this.#take(WORD);
    return word === undefined ? this.#number() : (WORDS[word] ?? null);
  }

  end(): void {
    this.#take(WHITESPACE);
    if (this.#position < this.#text.length) this.#fail();
  }

  #list(depth: number): JsonValue {
    const list: JsonValue[] = [];
    const floats = new Set<string>();
    this.#members("]", () => {
      const value = this.value(depth + 1);
      if (value instanceof WholeFloat) floats.add(String(list.length));
      list.push(value instanceof WholeFloat ? value.value : value);
    });
    if (floats.size > 0) notes.set(list, { floats });
    return Object.freeze(list);
  }

  #object(depth: number): JsonValue {
    const values = new Map<string, JsonValue>();
    const floats = new Set<string>();
    this.#members("}", () => {
      this.#take(WHITESPACE);
      const key = this.#string();
      this.#take(WHITESPACE);
      if (this.#text[this.#position++] !== ":") this.#fail();
      const value = this.value(depth + 1);
      // Of a key that is written twice, Python keeps the first place and the last value.
      if (value instanceof WholeFloat) floats.add(key);
      else floats.delete(key);
      values.set(key, value instanceof WholeFloat ? value.value : value);
    });
    return orderedRecord(values, floats);
  }

  #members(close: "]" | "}", readMember: () => void): void {
    this.#position++;
    this.#take(WHITESPACE);
    if (this.#text[this.#position] === close) {
      this.#position++;
      return;
    }
    for (;;) {
      readMember();
      this.#take(WHITESPACE);
      const mark = this.#text[this.#position++];
      if (mark === close) return;
      if (mark !== ",") this.#fail();
    }
  }

  #string(): string {
    const token = this.#take(STRING) ?? this.#fail();
    const value: unknown = JSON.parse(token);
    return typeof value === "string" ? value : this.#fail();
  }

  #number(): JsonValue | WholeFloat {
    NUMBER.lastIndex = this.#position;
    const [token = "", fraction, exponent] = NUMBER.exec(this.#text) ?? this.#fail();
    this.#position = NUMBER.lastIndex;
    if (fraction === undefined && exponent === undefined) {
      return parsePythonInt(token) ?? this.#fail();
    }
    const value = Number(token);
    return Number.isInteger(value) ? new WholeFloat(value) : value;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#position;
    const token = pattern.exec(this.#text)?.[0];
    if (token !== undefined) this.#position = pattern.lastIndex;
    return token;
  }

  #fail(): never {
    throw new SyntaxError(`not JSON at character ${this.#position}`);
  }
}

/** A frozen object without a prototype that remembers the order of its keys, also of "10" and "9". */
export function orderedRecord<T>(
  entries: ReadonlyMap<string, T>,
  floats: ReadonlySet<string> = new Set(),
): Readonly<Record<string, T>> {
  const record: Record<string, T> = Object.create(null);
  for (const [key, value] of entries) record[key] = value;
  notes.set(record, { keys: [...entries.keys()], floats });
  return Object.freeze(record);
}

/** The own keys of an object, in the order in which they were read. */
export function orderedKeys(record: object): readonly string[] {
  return notes.get(record)?.keys ?? Object.keys(record);
}

/** `json.dumps(value)`. Undefined for what is not a JSON value. */
export function pythonJsonText(value: unknown): string | undefined {
  return print(value, false, 0);
}

function print(value: unknown, wholeFloat: boolean, depth: number): string | undefined {
  if (depth > MAX_DEPTH) return undefined;
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return pythonJsonString(value);
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number") return numberText(value, wholeFloat);
  if (!Array.isArray(value) && !isPlainObject(value)) return undefined;
  const texts: string[] = [];
  for (const [key, text] of pythonJsonMembers(value, depth + 1)) {
    if (text === undefined) return undefined;
    texts.push(Array.isArray(value) ? text : `${pythonJsonString(key)}: ${text}`);
  }
  return Array.isArray(value) ? `[${texts.join(", ")}]` : `{${texts.join(", ")}}`;
}

/** The text of each member of a list or object, by index or key, in the order that was read. */
export function* pythonJsonMembers(
  container: object,
  depth = 0,
): Generator<[key: string, text: string | undefined]> {
  const floats = notes.get(container)?.floats;
  const keys = Array.isArray(container)
    ? Array.from(container, (_, index) => String(index))
    : orderedKeys(container);
  for (const key of keys) {
    yield [key, print(Reflect.get(container, key), floats?.has(key) ?? false, depth)];
  }
}

/** Neither a list nor an object of a class: a date or a map would lose its content without a word. */
export function isPlainObject(value: unknown): value is object {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function numberText(value: number, wholeFloat: boolean): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "Infinity" : "-Infinity";
  if (wholeFloat || !Number.isSafeInteger(value) || Object.is(value, -0))
    return pythonFloatText(value);
  return String(value);
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

/** What needs no escape. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** A string as `json.dumps` prints it: every UTF-16 unit outside of printable ASCII as `\uXXXX`. */
export function pythonJsonString(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  const escaped = text.replace(
    /["\\]|[^ -~]/g,
    (unit) => SHORT_ESCAPES[unit] ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `"${escaped}"`;
}
