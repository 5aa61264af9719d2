/**
 * What a parameter is: a zod codec between text and a value, known to us by its kind (its name and
 * the form of its text) and by its significance. Any zod codec from a string may be a parameter;
 * those made here also say what they expected. Defines no kind of its own.
 */
import { z } from "zod";

/** A codec between text and value. Undefined is what `.optional()` and `.default()` take. */
export type ParamCodec = z.ZodType<unknown, string | undefined>;

/** What `paramCodec` makes. */
export type ValueCodec<T> = z.ZodCodec<z.ZodString, z.ZodType<T, T>>;

export interface ParamOptions {
  /** False keeps the value out of the task id. True when left out. */
  readonly significant?: boolean;
  /** One sentence for `--help` and the pages. */
  readonly description?: string;
}

/** How one kind of parameter reads and prints. Undefined refuses the text or the value. */
export interface ParamKind<T> {
  /** The noun of messages: `date`. */
  readonly name: string;
  /** What follows "expected date to be": `YYYY-MM-DD`. */
  readonly form: string;
  decode(text: string): T | undefined;
  /** Takes anything: callers without types are refused here, not later. */
  encode(value: unknown): string | undefined;
  /** The text as a literal inside of JSON. Without it, items of a list are JSON strings. */
  jsonLiteral?(text: string): string;
}

/** What is known about a parameter, through all of `.optional()`, `.default()` and the like. */
export interface ParamDescription extends ParamOptions {
  readonly name: string;
  readonly form: string;
  readonly jsonLiteral: ((text: string) => string) | undefined;
}

const descriptions = z.registry<ParamDescription>();

/** A parameter's codec, from its kind. Also for kinds of your own. */
export function paramCodec<T>(kind: ParamKind<T>, options: ParamOptions = {}): ValueCodec<T> {
  const message = (got: unknown) => refusalOf(kind.name, kind.form, got);
  const refusal = (got: unknown): z.core.$ZodRawIssue => ({
    code: "custom",
    message: message(got),
    input: got,
    params: { refused: true },
  });
  // Not z.custom<T>(): zod runs a schema with checks twice to encode (1.9 against 0.2 us).
  const anyValue: z.ZodType<T, T> = z.any();
  const codec = z.codec(z.string({ error: ({ input }) => message(input) }), anyValue, {
    decode: (text, payload) => {
      const value = kind.decode(text);
      if (value !== undefined) return value;
      payload.issues.push(refusal(text));
      return z.NEVER;
    },
    encode: (value, payload) => {
      const text = kind.encode(value);
      if (text !== undefined) return text;
      payload.issues.push(refusal(value));
      return z.NEVER;
    },
  });
  const jsonLiteral = kind.jsonLiteral?.bind(kind);
  descriptions.add(codec, { name: kind.name, form: kind.form, jsonLiteral, ...options });
  return codec;
}

/** The text of a value; undefined where the codec refuses it, or it has none. */
export function encodeText(schema: ParamCodec, value: unknown): string | undefined {
  const result = schema.safeEncode(value);
  return result.success ? result.data : undefined;
}

/** Whether the value is part of the task id. Codecs that were not made here always are. */
export function isSignificant(schema: z.core.$ZodType): boolean {
  return describeParam(schema)?.significant ?? true;
}

/** Undefined for codecs that were not made by `paramCodec`. */
export function describeParam(schema: z.core.$ZodType): ParamDescription | undefined {
  const known = descriptions.get(schema);
  if (known !== undefined) return known;
  const inner = innerOf(schema);
  return inner === undefined ? undefined : describeParam(inner);
}

/** Whether undefined is a value of the parameter; its text is empty, as in Luigi. */
export function isOptional(schema: z.core.$ZodType): boolean {
  if (schema instanceof z.core.$ZodOptional) return true;
  const inner = innerOf(schema);
  return inner !== undefined && isOptional(inner);
}

/** `expected date to be YYYY-MM-DD, got "yesterday"` */
export function refusalOf(name: string, form: string, got: unknown): string {
  return `expected ${name} to be ${form}, got ${shown(got)}`;
}

const MAX_SHOWN = 120;

/** A value for a message: text JSON-quoted, dates as they print, nothing longer than a line. */
export function shown(value: unknown): string {
  const text = typeof value === "object" && value !== null ? objectText(value) : scalarText(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

function scalarText(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

function objectText(value: object): string {
  try {
    return JSON.stringify(value) ?? Object.prototype.toString.call(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

function innerOf(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  const wraps =
    schema instanceof z.core.$ZodOptional ||
    schema instanceof z.core.$ZodDefault ||
    schema instanceof z.core.$ZodPrefault ||
    schema instanceof z.core.$ZodNullable ||
    schema instanceof z.core.$ZodNonOptional ||
    schema instanceof z.core.$ZodReadonly ||
    schema instanceof z.core.$ZodCatch;
  return wraps ? schema._zod.def.innerType : undefined;
}
