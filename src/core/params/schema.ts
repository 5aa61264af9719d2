/**
 * The parameters of a family: what it declares, what a caller passes, and the values and texts that
 * come of it. A value counts only as what its own text reads back as, so that code which creates a
 * task and a worker which gets its text see the same value. Computes no ids.
 */
import type { z } from "zod";
import { UsageError } from "../errors.ts";
import { didYouMean } from "../nearest.ts";
import {
  describeParam,
  isOptional,
  isSignificant,
  type ParamCodec,
  refusalOf,
  shown,
} from "./codec.ts";

export type ParamsDeclaration = Readonly<Record<string, ParamCodec>>;

/** The values that `requires`, `output` and `run` get. */
export type ParamValues<D extends ParamsDeclaration> = {
  readonly [K in keyof D]: z.output<D[K]>;
};

/** What a caller passes: parameters that are optional or have a default may be left out. */
export type ParamArguments<D extends ParamsDeclaration> = {
  readonly [K in keyof D as undefined extends z.input<D[K]> ? never : K]: z.output<D[K]>;
} & {
  readonly [K in keyof D as undefined extends z.input<D[K]> ? K : never]?:
    | z.output<D[K]>
    | undefined;
};

/** All of it frozen and inheriting nothing, in the order of the declaration. */
export interface NormalizedParams<D extends ParamsDeclaration> {
  readonly values: ParamValues<D>;
  /** The text of every parameter; empty for undefined, as in Luigi. */
  readonly texts: Readonly<Record<string, string>>;
  /** The texts that the task id is made of. */
  readonly significantTexts: Readonly<Record<string, string>>;
}

/** From values given by code. Throws a `UsageError` that names family, parameter and value. */
export function normalizeParams<D extends ParamsDeclaration>(
  family: string,
  declaration: D,
  args: ParamArguments<D>,
): NormalizedParams<D> {
  return collect(family, declaration, args, ofValue);
}

/**
 * From texts: a command line, the data of a job. Where undefined is a value of the parameter, the
 * empty text means it. Throws a `UsageError` that names family, parameter and text.
 */
export function parseParams<D extends ParamsDeclaration>(
  family: string,
  declaration: D,
  texts: Readonly<Record<string, string>>,
): NormalizedParams<D> {
  return collect(family, declaration, texts, ofText);
}

interface Param {
  readonly family: string;
  readonly name: string;
  readonly schema: ParamCodec;
  readonly optional: boolean;
  readonly significant: boolean;
}

interface Settled {
  readonly value: unknown;
  readonly text: string;
}

function collect<D extends ParamsDeclaration>(
  family: string,
  declaration: D,
  given: object,
  settle: (param: Param, given: unknown) => Settled,
): NormalizedParams<D> {
  if (typeof given !== "object" || given === null) {
    throw invalid(family, `${family} takes an object of parameters, got ${shown(given)}`, given);
  }
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(declaration, name)) throw unknown(family, name, declaration);
  }
  const values: ParamValues<D> = Object.create(NOTHING);
  const texts: Record<string, string> = Object.create(NOTHING);
  const params = paramsOf(family, declaration);
  // Nearly always all of them are significant.
  const significantTexts: Record<string, string> = params.every(({ significant }) => significant)
    ? texts
    : Object.create(NOTHING);
  for (const param of params) {
    const { name } = param;
    const own: unknown = Object.hasOwn(given, name) ? Reflect.get(given, name) : undefined;
    const { value, text } = own === undefined ? ofAbsent(param) : settle(param, own);
    Reflect.set(values, name, value);
    texts[name] = text;
    if (param.significant) significantTexts[name] = text;
  }
  return {
    values: Object.freeze(values),
    texts: Object.freeze(texts),
    significantTexts: Object.freeze(significantTexts),
  };
}

/**
 * What values and texts inherit: a parameter may be called `constructor` or `__proto__`. Not null itself:
 * V8 makes a hash table of such an object, and 100,000 tasks with two of them take 40 MB more.
 */
const NOTHING: object = Object.freeze(Object.create(null));

const compiled = new WeakMap<ParamsDeclaration, readonly Param[]>();

/** What a declaration says, looked up once: it is asked for every task. */
function paramsOf(family: string, declaration: ParamsDeclaration): readonly Param[] {
  const known = compiled.get(declaration);
  if (known?.every((param) => param.family === family) === true) return known;
  const params = Object.entries(declaration).map(([name, schema]) => ({
    family,
    name,
    schema,
    optional: isOptional(schema),
    significant: isSignificant(schema),
  }));
  compiled.set(declaration, params);
  return params;
}

function ofAbsent(param: Param): Settled {
  const result = param.schema.safeDecode(undefined);
  if (!result.success) throw missing(param);
  return result.data === undefined ? { value: undefined, text: "" } : ofValue(param, result.data);
}

function ofValue(param: Param, value: unknown): Settled {
  const text = encode(param, value);
  return { value: decode(param, text), text };
}

/** A text may have several spellings (`2015-1-4`); the one that is kept is that of its value. */
function ofText(param: Param, given: unknown): Settled {
  const value = decode(param, given);
  const text = encode(param, value);
  return { value: text === given ? value : decode(param, text), text };
}

function encode(param: Param, value: unknown): string {
  // What safeEncode does, without the context that it builds: 1 us instead of 2 for each value.
  const context = { direction: "backward", async: false } as const;
  const payload = param.schema._zod.run({ value, issues: [] }, context);
  if (!(payload instanceof Promise) && payload.issues.length === 0) {
    if (typeof payload.value === "string") return payload.value;
    if (payload.value === undefined) return "";
  }
  throw refused(param, value, param.schema.safeEncode(value).error);
}

function decode(param: Param, text: unknown): unknown {
  if (typeof text !== "string") throw refused(param, text);
  const result = param.schema.safeDecode(text === "" && param.optional ? undefined : text);
  if (result.success) return result.data;
  throw refused(param, text, result.error);
}

function refused(param: Param, got: unknown, error?: z.ZodError): UsageError {
  const { family, name, schema } = param;
  const [issue] = error?.issues ?? [];
  const isOwn =
    issue === undefined || (issue.code === "custom" && issue.params?.["refused"] === true);
  const description = describeParam(schema);
  return invalid(
    family,
    isOwn && description !== undefined
      ? `${family}: ${refusalOf(name, description.form, got)}`
      : `${family}: ${name} is not valid: ${issue?.message ?? "not a text"}, got ${shown(got)}`,
    got,
    name,
  );
}

function invalid(family: string, message: string, got: unknown, parameter?: string): UsageError {
  return new UsageError("PARAMETER_INVALID", message, {
    fields: { family, parameter, got: shown(got) },
  });
}

function unknown(family: string, name: string, declaration: ParamsDeclaration): UsageError {
  const known = Object.keys(declaration);
  const hint =
    didYouMean(name, known) ||
    (known.length === 0 ? " It takes none." : ` It takes ${known.join(", ")}.`);
  return new UsageError(
    "PARAMETER_UNKNOWN",
    `${family} has no parameter ${JSON.stringify(name)}.${hint}`,
    { fields: { family, parameter: name, known } },
  );
}

function missing({ family, name, schema }: Param): UsageError {
  const description = describeParam(schema);
  const hint =
    description === undefined
      ? ""
      : ` It is ${article(description.name)} ${description.name} (${description.form}).`;
  return new UsageError(
    "PARAMETER_MISSING",
    `${family}: parameter ${JSON.stringify(name)} is missing.${hint}`,
    { fields: { family, parameter: name } },
  );
}

function article(noun: string): string {
  return /^(?:[aeio]|S3)/.test(noun) ? "an" : "a";
}
