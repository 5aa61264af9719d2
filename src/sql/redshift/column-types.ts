/** What loads need to know of Redshift's types, as written by `format_type` or in a CREATE TABLE. */

import { UsageError } from "../../core/errors.ts";

const MAX_VARCHAR = 65_535;

const SYNONYMS: readonly (readonly [RegExp, string])[] = [
  [/^(character varying|nvarchar|varchar|text|bpchar)\b/, "varchar"],
  [/^(character|nchar|char)\b/, "char"],
  [/^(numeric|decimal)\b/, "decimal"],
  [/^(binary varying|varbinary|varbyte)\b/, "varbyte"],
  [/^(smallint|int2)$/, "smallint"],
  [/^(integer|int|int4)$/, "integer"],
  [/^(bigint|int8)$/, "bigint"],
  [/^(real|float4)$/, "real"],
  [/^(double precision|float8|float)$/, "double precision"],
  [/^(boolean|bool)$/, "boolean"],
  [/^timestamp( without time zone)?$/, "timestamp"],
  [/^(timestamp with time zone|timestamptz)$/, "timestamptz"],
  [/^time( without time zone)?$/, "time"],
  [/^(time with time zone|timetz)$/, "timetz"],
];

/** One spelling for each type: `varchar(10)`, `decimal(18,4)`, `timestamptz`. */
function normalized(type: string): string {
  const plain = type
    .trim()
    .toLowerCase()
    .replaceAll(/\s+/g, " ")
    .replaceAll(/\s*([(),])\s*/g, "$1");
  const long = plain.replace(/\(max\)$/, `(${MAX_VARCHAR})`);
  for (const [pattern, name] of SYNONYMS)
    if (pattern.test(long)) return long.replace(pattern, name);
  return long;
}

/**
 * For a CREATE TABLE. A VARCHAR or TEXT without a length is one of 256 bytes on Redshift, and few parsers
 * know what its catalog calls a VARBYTE.
 */
export function explicitLength(type: string): string {
  const plain = normalized(type);
  if (plain === "varchar" || plain === "unknown") return `VARCHAR(${MAX_VARCHAR})`;
  return type.replace(/^binary varying\b/i, "VARBYTE");
}

/** Words, a size, a time zone: nothing that could be more than a type. */
const TYPE_NAME = /^[a-z][a-z0-9 ]*(\((\d+|max)(, ?\d+)?\))?( with(out)? time zone)?$/i;

/** The text, if it can be a type. What it is, Redshift decides. */
export function requireTypeName(text: string): string {
  if (TYPE_NAME.test(text)) return text;
  throw new UsageError(
    "REDSHIFT_TYPE_INVALID",
    `expected a type of Redshift like "decimal(18,4)" or "varchar(65535)", got ${JSON.stringify(text)}`,
  );
}

const INTEGERS = ["smallint", "integer", "bigint"];

/** Whether every value of `from` can be held by `to` unchanged. Both are Redshift's types. */
export function holds(to: string, from: string): boolean {
  const [there, here] = [normalized(to), normalized(from)];
  if (there === here) return true;
  if (INTEGERS.includes(here)) return INTEGERS.indexOf(there) > INTEGERS.indexOf(here);
  const [wide, narrow] = [sized(there), sized(here)];
  if (wide.name !== narrow.name)
    return wide.name === "varchar" && narrow.name === "char" && wide.size >= narrow.size;
  if (wide.name === "varchar" || wide.name === "varbyte" || wide.name === "char")
    return wide.size >= narrow.size;
  // COPY cuts digits after the point silently, so neither side of the point may be shorter.
  if (wide.name === "decimal") {
    return wide.scale >= narrow.scale && wide.size - wide.scale >= narrow.size - narrow.scale;
  }
  return false;
}

function sized(type: string): {
  readonly name: string;
  readonly size: number;
  readonly scale: number;
} {
  const [, name = type, size, scale = "0"] = /^([a-z ]+)\((\d+)(?:,(\d+))?\)$/.exec(type) ?? [];
  const unsized = name === "varchar" ? 256 : name === "decimal" ? 18 : 1;
  return { name, size: size === undefined ? unsized : Number(size), scale: Number(scale) };
}
