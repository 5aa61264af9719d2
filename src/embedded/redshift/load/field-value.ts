/**
 * What Redshift makes of a field: a NULL, a value (as text for Postgres), or an error. Every type is
 * checked here, so that a bad row can be named or skipped before Postgres sees it.
 */

import { isUtf8 } from "node:buffer";
import type { Conversion } from "../sql/copy-statement.ts";
import { notCarriedOut } from "../sql-error.ts";
import { decimalValue, floatValue, integerValue } from "./numbers.ts";
import { bytesToUtf8, RowError, utf8ToBytes } from "./row.ts";
import type { Column } from "./target-table.ts";
import { dateValue, timestampValue, timeValue } from "./times.ts";

/** Text for Postgres, one character for each byte; null is NULL. Throws `RowError`. */
export type FieldValue = (field: string) => string | null;

export function fieldValue(column: Column, conversion: Conversion): FieldValue {
  const nullAs = utf8ToBytes(conversion.nullAs);
  const value = valueOf(column, conversion);
  if (isCharacter(column)) {
    return (field) => {
      if (field === nullAs || (conversion.emptyAsNull && field === "")) return null;
      if (conversion.blanksAsNull && /^[ \t]+$/.test(field)) return null;
      return value(field);
    };
  }
  // An empty field is no number and no date: NULL, quoted or not.
  return (field) => (field === "" || field === nullAs ? null : value(field));
}

export function isCharacter({ type }: Column): boolean {
  return type === "character varying" || type === "character" || type === "text";
}

function valueOf(column: Column, conversion: Conversion): (field: string) => string | null {
  switch (column.type) {
    case "smallint":
    case "integer":
    case "bigint":
      return integerValue(column.type);
    case "numeric":
      return decimalValue(column, conversion.roundDecimals);
    case "real":
    case "double precision":
      return floatValue(column.type);
    case "boolean":
      return booleanValue;
    case "date":
      return orNull(conversion.acceptAnyDate, dateValue(conversion.dateFormat));
    case "timestamp without time zone":
    case "timestamp with time zone":
      return orNull(
        conversion.acceptAnyDate,
        timestampValue(column.type === "timestamp with time zone", conversion.timeFormat),
      );
    case "time without time zone":
    case "time with time zone":
      return timeValue(column.type === "time with time zone");
    case "super":
      return superValue;
    case "varbyte":
      return varbyteValue(column.length);
    case "character":
      return characterValue(column, conversion);
    case "character varying":
    case "text":
      return varcharValue(column, conversion);
    default:
      throw notCarriedOut(`COPY into type ${column.type}`);
  }
}

function orNull(
  accept: boolean,
  value: (field: string) => string,
): (field: string) => string | null {
  if (!accept) return value;
  return (field) => {
    try {
      return value(field);
    } catch (error) {
      if (error instanceof RowError) return null;
      throw error;
    }
  };
}

const BOOLEANS: Readonly<Record<string, string>> = {
  t: "t",
  true: "t",
  y: "t",
  yes: "t",
  "1": "t",
  f: "f",
  false: "f",
  n: "f",
  no: "f",
  "0": "f",
};

function booleanValue(field: string): string {
  const value = BOOLEANS[field.toLowerCase()];
  if (value === undefined) throw new RowError(1210, "Unknown boolean format");
  return value;
}

/** SUPER keeps the value and not its layout: blanks between tokens are gone. */
function superValue(field: string): string {
  try {
    JSON.parse(bytesToUtf8(field));
  } catch {
    throw new RowError(1224, "Invalid JSON");
  }
  return field.replaceAll(/("(?:[^"\\]|\\.)*")|\s+/g, "$1");
}

function varbyteValue(limit: number): (field: string) => string {
  return (field) => {
    if (!/^(?:[0-9a-fA-F]{2})*$/.test(field)) throw new RowError(1219, "Invalid hexadecimal digit");
    if (limit > 0 && field.length / 2 > limit) throw tooLong();
    return field.toLowerCase();
  };
}

const tooLong = (): RowError => new RowError(1204, "String length exceeds DDL length");
const NOT_ASCII = /[\u0080-\u00ff]/;

function varcharValue(column: Column, conversion: Conversion): (field: string) => string {
  return (field) => {
    const valid = validText(field, conversion);
    const trimmed = conversion.trimBlanks ? valid.replace(/[ \t]+$/, "") : valid;
    if (column.length === 0 || trimmed.length <= column.length) return trimmed;
    if (conversion.truncateColumns) return upTo(trimmed, column.length);
    throw tooLong();
  };
}

function characterValue(column: Column, conversion: Conversion): (field: string) => string {
  return (field) => {
    const valid = validText(field, conversion);
    const wide = NOT_ASCII.exec(valid);
    if (wide !== null) {
      const hex = wide[0].charCodeAt(0).toString(16);
      throw new RowError(
        1216,
        `Multibyte character not supported for CHAR (Hint: try using VARCHAR). Invalid char: ${hex}`,
      );
    }
    const bare = valid.replace(/ +$/, "");
    if (bare.length <= column.length) return bare;
    if (conversion.truncateColumns) return bare.slice(0, column.length);
    throw tooLong();
  };
}

/** Bytes that are UTF-8 and hold no NUL. */
function validText(field: string, { replaceInvalid }: Pick<Conversion, "replaceInvalid">): string {
  if (field.includes("\0")) {
    if (replaceInvalid === undefined) throw new RowError(1220, "Invalid character: NUL (hex: 00)");
    return validText(field.replaceAll("\0", replaceInvalid), { replaceInvalid });
  }
  if (!NOT_ASCII.test(field) || isUtf8(Buffer.from(field, "latin1"))) return field;
  if (replaceInvalid === undefined) {
    throw new RowError(1220, "String contains invalid or unsupported UTF8 codepoints");
  }
  return withReplacements(field, replaceInvalid);
}

/** One replacement for each byte that belongs to no character. */
function withReplacements(field: string, replacement: string): string {
  const bytes = Buffer.from(field, "latin1");
  let out = "";
  for (let at = 0; at < bytes.length; ) {
    const length = [1, 2, 3, 4].find((some) => isUtf8(bytes.subarray(at, at + some)));
    const whole = length !== undefined && at + length <= bytes.length;
    out += whole ? field.slice(at, at + length) : replacement;
    at += whole ? length : 1;
  }
  return out;
}

/** At most so many bytes, and no part of a character. */
function upTo(field: string, limit: number): string {
  let end = limit;
  while (end > 0 && (field.charCodeAt(end) & 0xc0) === 0x80) end -= 1;
  return field.slice(0, end);
}
