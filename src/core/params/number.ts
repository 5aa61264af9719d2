/** Kinds for numbers and flags. Their texts are Python's: `1.0`, `1e+16`, `True`. */
import { parsePythonFloat, parsePythonInt, pythonFloatText } from "../python-number.ts";
import type { ParamKind } from "./codec.ts";

/**
 * Ints have no limit in Luigi, and none here: a number while that is exact, a bigint beyond. One
 * value has one form, so a small bigint given in code (`3n`) becomes 3.
 */
export const int: ParamKind<number | bigint> = {
  name: "int",
  form: "a whole number",
  decode: parsePythonInt,
  encode: (value) => {
    if (typeof value === "number" && Number.isSafeInteger(value)) return String(value);
    return typeof value === "bigint" ? String(value) : undefined;
  },
  jsonLiteral: (text) => text,
};

/** An int between two limits, both included; always a number. */
export function boundedInt(min: number, max: number): ParamKind<number> {
  const within = (value: unknown): value is number =>
    typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max;
  return {
    name: "int",
    form: `a whole number from ${min} to ${max}`,
    decode: (text) => {
      const value = parsePythonInt(text);
      return within(value) ? value : undefined;
    },
    encode: (value) => (within(value) ? String(value) : undefined),
    jsonLiteral: (text) => text,
  };
}

export const float: ParamKind<number> = {
  name: "float",
  form: "a number",
  decode: parsePythonFloat,
  encode: (value) => (typeof value === "number" ? pythonFloatText(value) : undefined),
  jsonLiteral: (text) => text.replace("inf", "Infinity").replace("nan", "NaN"),
};

export const bool: ParamKind<boolean> = {
  name: "bool",
  form: "true or false",
  decode: (text) => {
    if (/^true$/i.test(text)) return true;
    return /^false$/i.test(text) ? false : undefined;
  },
  encode: (value) => {
    if (typeof value !== "boolean") return undefined;
    return value ? "True" : "False";
  },
  jsonLiteral: (text) => text.toLowerCase(),
};
