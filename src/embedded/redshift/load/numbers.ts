/** Numbers in files, by Redshift's rules: digits only, ranges checked, extra decimals cut off. */

import { RowError } from "./row.ts";
import type { Column } from "./target-table.ts";

const RANGES = {
  smallint: ["Short", 2n ** 15n],
  integer: ["Integer", 2n ** 31n],
  bigint: ["Long", 2n ** 63n],
} as const;

export function integerValue(type: keyof typeof RANGES): (field: string) => string {
  const [name, limit] = RANGES[type];
  return (field) => {
    if (!/^[+-]?\d+$/.test(field)) throw invalidDigit(field, name);
    // Most numbers are short; the rest is compared exactly.
    if (field.length < 5) return field;
    const value = BigInt(field.startsWith("+") ? field.slice(1) : field);
    if (value >= limit || value < -limit) {
      throw new RowError(1222, `Overflow, Value '${field}', Type: ${name}`);
    }
    return field;
  };
}

/** A decimal of up to 19 digits is kept in 64 bits, so not all of 19 digits fit. */
const INT64_DIGITS = 19;

export function decimalValue(column: Column, round: boolean): (field: string) => string {
  const { length: precision, scale } = column;
  return (field) => {
    const match = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(field);
    const [, sign = "", whole = "", fraction = ""] = match ?? [];
    if (match === null || whole + fraction === "") throw invalidDigit(field, "Decimal");
    const kept = fraction.slice(0, scale).padEnd(scale, "0");
    let unscaled = BigInt(`${whole}${kept}` === "" ? "0" : `${whole}${kept}`);
    if (round && (fraction[scale] ?? "0") >= "5") unscaled += 1n;
    const limit =
      precision <= INT64_DIGITS
        ? minimum(10n ** BigInt(precision), 2n ** 63n)
        : 10n ** BigInt(precision);
    if (precision > 0 && unscaled >= limit) {
      throw new RowError(1209, `Numeric data overflow, Value '${field}', Type: Decimal`);
    }
    const digits = unscaled.toString().padStart(scale + 1, "0");
    const point = digits.length - scale;
    return `${sign}${digits.slice(0, point)}${scale === 0 ? "" : `.${digits.slice(point)}`}`;
  };
}

const MAX_REAL = 3.402_823_466_385_288_6e38;

export function floatValue(type: "real" | "double precision"): (field: string) => string {
  return (field) => {
    if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(field)) {
      throw new RowError(1208, `Invalid float format, Value '${field}'`);
    }
    const value = Math.abs(Number(field));
    if (value > (type === "real" ? MAX_REAL : Number.MAX_VALUE)) {
      throw new RowError(1208, `Overflow, Value '${field}', Type: Float`);
    }
    return field;
  };
}

const minimum = (a: bigint, b: bigint): bigint => (a < b ? a : b);

function invalidDigit(field: string, type: string): RowError {
  const at = Math.max(field.search(/[^\d+-]/), 0);
  return new RowError(1207, `Invalid digit, Value '${field[at] ?? ""}', Pos ${at}, Type: ${type}`);
}
