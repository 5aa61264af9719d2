/**
 * Kinds for calendar dates and times, as `Temporal` values without a zone. Read as Luigi's
 * `strptime` does (parts may lack a leading zero), in ASCII digits only.
 *
 * Years below 1000 print without padding, as Luigi's do. Neither can read such a text back, which
 * is why no task takes such a date: a parameter must survive its own text.
 */
import { Temporal } from "temporal-polyfill";
import type { ParamKind } from "./codec.ts";

const DAY = "(\\d{4})-(1[0-2]|0?[1-9])-(3[01]|[12]\\d|0?[1-9])";
const HOUR = "2[0-3]|[01]\\d|\\d";
const MINUTE = "[0-5]\\d|\\d";
const DATE = new RegExp(`^${DAY}$`);
const MONTH = /^(\d{4})-(1[0-2]|0?[1-9])$/;
const YEAR = /^\d{4}$/;
const DATE_HOUR = new RegExp(`^${DAY}T(${HOUR})$`, "i");
/** `T1907`, and the older `T19H07`. Not `T19`, which Luigi takes for 01:09. */
const DATE_MINUTE = new RegExp(
  `^${DAY}T(?:(${HOUR})H(${MINUTE})|(?!..$)(${HOUR})(${MINUTE}))$`,
  "i",
);
const MAX_YEAR = 9999;

/** What `toString` of these values gives: no other calendar, and no year that Python has not. */
const ISO_DATE = /^(?!0000)(\d{4}-\d\d-\d\d)$/;
const ISO_MONTH = /^(?!0000)(\d{4}-\d\d)$/;
const ISO_HOUR = /^(?!0000)(\d{4}-\d\d-\d\dT\d\d)[^[]*$/;
const ISO_MINUTE = /^(?!0000)(\d{4}-\d\d-\d\dT\d\d):(\d\d)[^[]*$/;

/** Undefined for a day that no calendar has, and for years that Python has not: 1 to 9999. */
export function dateOf(year: number, month = 1, day = 1): Temporal.PlainDate | undefined {
  if (!isYear(year)) return undefined;
  try {
    return new Temporal.PlainDate(year, month, day);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** `YYYY-MM-DD`; undefined for other calendars than ISO 8601 and years outside of 1 to 9999. */
export function dateText(date: Temporal.PlainDate): string | undefined {
  return inForm(ISO_DATE, date.toString());
}

export const date: ParamKind<Temporal.PlainDate> = {
  name: "date",
  form: "YYYY-MM-DD",
  decode: (text) => plainDate(DATE.exec(text)),
  encode: (value) => (value instanceof Temporal.PlainDate ? dateText(value) : undefined),
};

export const month: ParamKind<Temporal.PlainYearMonth> = {
  name: "month",
  form: "YYYY-MM",
  decode: (text) => plainDate(MONTH.exec(text))?.toPlainYearMonth(),
  encode: (value) =>
    value instanceof Temporal.PlainYearMonth ? inForm(ISO_MONTH, value.toString()) : undefined,
};

export const year: ParamKind<number> = {
  name: "year",
  form: "YYYY",
  decode: (text) => (YEAR.test(text) && isYear(Number(text)) ? Number(text) : undefined),
  encode: (value) => (isYear(value) ? String(value) : undefined),
};

export const dateHour: ParamKind<Temporal.PlainDateTime> = {
  name: "date hour",
  form: "YYYY-MM-DDTHH",
  decode: (text) => plainDateTime(DATE_HOUR.exec(text)),
  encode: (value) =>
    value instanceof Temporal.PlainDateTime ? inForm(ISO_HOUR, value.toString()) : undefined,
};

export const dateMinute: ParamKind<Temporal.PlainDateTime> = {
  name: "date minute",
  form: "YYYY-MM-DDTHHMM",
  decode: (text) => plainDateTime(DATE_MINUTE.exec(text)),
  encode: (value) =>
    value instanceof Temporal.PlainDateTime ? inForm(ISO_MINUTE, value.toString()) : undefined,
};

type TimeParts = readonly [year: number, month: number, day: number, hour: number, minute: number];

/** The numbers that a pattern found; a year that is none when it found nothing. */
function numbers(match: RegExpExecArray | null): TimeParts {
  const groups = (match ?? []).slice(1).filter((group) => group !== undefined);
  const [year = Number.NaN, month = 1, day = 1, hour = 0, minute = 0] = groups.map(Number);
  return [year, month, day, hour, minute];
}

function plainDate(match: RegExpExecArray | null): Temporal.PlainDate | undefined {
  const [year, month, day] = numbers(match);
  return dateOf(year, month, day);
}

function plainDateTime(match: RegExpExecArray | null): Temporal.PlainDateTime | undefined {
  const [year, month, day, hour, minute] = numbers(match);
  return dateOf(year, month, day)?.toPlainDateTime({ hour, minute });
}

function isYear(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MAX_YEAR;
}

/** Joins the groups of the form, without the zeros that Luigi leaves out. */
function inForm(form: RegExp, isoText: string): string | undefined {
  return form.exec(isoText)?.slice(1).join("").replace(/^0+/, "");
}
