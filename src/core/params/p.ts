/**
 * `p`: the kinds of parameters that come with Sluice. Each call gives a zod codec between text and
 * value, so zod's own chain gives the other forms: `p.int().optional()`, `p.int().default(3)`.
 * A kind of your own is a `paramCodec`, or any zod codec from a string.
 */
import { z } from "zod";
import type { JsonValue } from "../python-json.ts";
import { paramCodec, type ParamOptions, type ValueCodec } from "./codec.ts";
import * as dates from "./date.ts";
import { dateInterval } from "./date-interval.ts";
import { duration } from "./duration.ts";
import { dict, dictOf, type ItemCodec, list, listOf } from "./json.ts";
import { bool, boundedInt, float, int } from "./number.ts";
import { choice, identifier, s3, table, text } from "./text.ts";

interface IntRange extends ParamOptions {
  /** The lowest value. */
  readonly min: number;
  /** The highest value. */
  readonly max: number;
}

function intParam(options: IntRange): ValueCodec<number>;
function intParam(options?: ParamOptions): ValueCodec<number | bigint>;
function intParam(
  options: ParamOptions | IntRange = {},
): ValueCodec<number> | ValueCodec<number | bigint> {
  if (!("min" in options)) return paramCodec(int, options);
  const { min, max, ...rest } = options;
  return paramCodec(boundedInt(min, max), rest);
}

function listParam(options?: ParamOptions): ValueCodec<readonly JsonValue[]>;
function listParam<T>(item: ItemCodec<T>, options?: ParamOptions): ValueCodec<readonly T[]>;
function listParam<T>(
  first: ItemCodec<T> | ParamOptions = {},
  options: ParamOptions = {},
): ValueCodec<readonly JsonValue[]> | ValueCodec<readonly T[]> {
  return first instanceof z.ZodType ? paramCodec(listOf(first), options) : paramCodec(list, first);
}

function dictParam(options?: ParamOptions): ValueCodec<Readonly<Record<string, JsonValue>>>;
function dictParam<T>(
  item: ItemCodec<T>,
  options?: ParamOptions,
): ValueCodec<Readonly<Record<string, T>>>;
function dictParam<T>(
  first: ItemCodec<T> | ParamOptions = {},
  options: ParamOptions = {},
): ValueCodec<Readonly<Record<string, JsonValue>>> | ValueCodec<Readonly<Record<string, T>>> {
  return first instanceof z.ZodType ? paramCodec(dictOf(first), options) : paramCodec(dict, first);
}

/**
 * @example
 * const day = p.date({ description: "The day to copy." });
 * day.decode("2015-01-04"); // Temporal.PlainDate
 * day.encode(Temporal.PlainDate.from("2015-01-04")); // "2015-01-04"
 */
export const p = {
  /** Any text. */
  text: (options?: ParamOptions) => paramCodec(text, options),
  /** One name for SQL: a column, a schema. Quoted where SQL is built. */
  identifier: (options?: ParamOptions) => paramCodec(identifier, options),
  /** `name` or `schema.name`. Case is kept. */
  table: (options?: ParamOptions) => paramCodec(table, options),
  /**
   * A whole number of any size: a number while that is exact, a bigint beyond 2^53. With `min` and
   * `max` it is always a number: `p.int({ min: 0, max: 63 })`.
   */
  int: intParam,
  /** A number; its text is never that of an int: `1.0`. */
  float: (options?: ParamOptions) => paramCodec(float, options),
  /** `True` or `False`, read in any case. */
  bool: (options?: ParamOptions) => paramCodec(bool, options),
  /** `2015-11-04`, a `Temporal.PlainDate`. */
  date: (options?: ParamOptions) => paramCodec(dates.date, options),
  /** `2015-11`, a `Temporal.PlainYearMonth`. */
  month: (options?: ParamOptions) => paramCodec(dates.month, options),
  /** `2015`, a number. */
  year: (options?: ParamOptions) => paramCodec(dates.year, options),
  /** `2015-11-04T19`, a `Temporal.PlainDateTime`; minutes and less are cut off. */
  dateHour: (options?: ParamOptions) => paramCodec(dates.dateHour, options),
  /** `2015-11-04T1907`, a `Temporal.PlainDateTime`; seconds and less are cut off. */
  dateMinute: (options?: ParamOptions) => paramCodec(dates.dateMinute, options),
  /** `2015`, `2015-11`, `2015-W35`, `2015-11-04` or `2015-11-04-2015-11-09` (without its last day). */
  dateInterval: (options?: ParamOptions) => paramCodec(dateInterval, options),
  /** `1 w 2 d 3 h 4 m 5 s`, a `Temporal.Duration`; parts of a second are cut off. */
  duration: (options?: ParamOptions) => paramCodec(duration, options),
  /** One of the texts given. */
  choice: <const T extends string>(choices: readonly T[], options?: ParamOptions) =>
    paramCodec(choice(choices), options),
  /** A JSON list, of anything or of the values of one codec: `p.list(p.date())`. */
  list: listParam,
  /** A JSON object, of anything or of the values of one codec: `p.dict(p.int({ min: 0, max: 9 }))`. */
  dict: dictParam,
  /** `s3://bucket/key`; the key may end with one slash. */
  s3: (options?: ParamOptions) => paramCodec(s3, options),
};
