/**
 * A span of whole days, in Luigi's forms: `2015`, `2015-11`, `2015-W35`, `2015-11-04` and
 * `2015-11-04-2015-11-09`. The end is not part of it. Both ends are within the years 1 to 9999.
 */
import { Temporal } from "temporal-polyfill";
import { PermanentError } from "../errors.ts";
import { asciiDigits } from "../python-number.ts";
import type { ParamKind } from "./codec.ts";
import { dateOf, dateText } from "./date.ts";

/** The kinds of intervals that have neighbours. */
export type CalendarIntervalKind = "year" | "month" | "week" | "date";
export type DateIntervalKind = CalendarIntervalKind | "custom";

const FORM = "YYYY, YYYY-MM, YYYY-Www, YYYY-MM-DD or YYYY-MM-DD-YYYY-MM-DD";
const MAX_YEAR = 9999;
const INTERVAL = /^(\d{4})(?:-(?:W(\d\d)|(\d\d)(?:-(\d\d)(?:-(\d{4})-(\d\d)-(\d\d))?)?))?$/;

export class DateInterval {
  readonly kind: DateIntervalKind;
  /** The first day. */
  readonly start: Temporal.PlainDate;
  /** The day after the last. */
  readonly end: Temporal.PlainDate;

  private constructor(kind: DateIntervalKind, start: Temporal.PlainDate, end: Temporal.PlainDate) {
    this.kind = kind;
    this.start = start;
    this.end = end;
    Object.freeze(this);
  }

  /** From its text. Throws a `PermanentError` (`DATE_INTERVAL_INVALID`) for any other text. */
  static parse(text: string): DateInterval {
    const interval = DateInterval.tryParse(text);
    if (interval !== undefined) return interval;
    throw invalid(`expected a date interval to be ${FORM}, got ${JSON.stringify(text)}`);
  }

  /** From its text; undefined for any other text. */
  static tryParse(text: string): DateInterval | undefined {
    const span = spanOfText(asciiDigits(text));
    return span === undefined ? undefined : new DateInterval(...span);
  }

  /** The year, month, week (ISO 8601, from Monday) or day that holds a date. */
  static of(kind: CalendarIntervalKind, date: Temporal.PlainDate): DateInterval {
    const span = spanOfDate(kind, date);
    if (span !== undefined) return new DateInterval(...span);
    throw invalid(`the ${kind} of ${date.toString()} is not within the years 1 to ${MAX_YEAR}`);
  }

  /** The days from `start` up to and without `end`; none when `end` is not later. */
  static between(start: Temporal.PlainDate, end: Temporal.PlainDate): DateInterval {
    for (const date of [start, end]) {
      if (dateText(date) === undefined) {
        throw invalid(`${date.toString()} is not an ISO date within the years 1 to ${MAX_YEAR}`);
      }
    }
    return new DateInterval("custom", start, end);
  }

  /** Order by start, then end: below zero, zero, above. Throws for intervals of two kinds: a month is not before a week. */
  static compare(this: void, a: DateInterval, b: DateInterval): number {
    if (a.kind !== b.kind) {
      throw invalid(
        `intervals of two kinds have no order: ${a.toString()} (${a.kind}) and ${b.toString()} (${b.kind})`,
      );
    }
    const byStart = Temporal.PlainDate.compare(a.start, b.start);
    return byStart === 0 ? Temporal.PlainDate.compare(a.end, b.end) : byStart;
  }

  /** Every day. */
  dates(): Temporal.PlainDate[] {
    const dates: Temporal.PlainDate[] = [];
    let date = this.start;
    while (this.contains(date)) {
      dates.push(date);
      date = date.add({ days: 1 });
    }
    return dates;
  }

  /** Every hour of every day, on a clock that never changes. */
  hours(): Temporal.PlainDateTime[] {
    return this.dates().flatMap((date) =>
      Array.from({ length: 24 }, (_, hour) => date.toPlainDateTime({ hour })),
    );
  }

  contains(date: Temporal.PlainDate): boolean {
    return (
      Temporal.PlainDate.compare(this.start, date) <= 0 &&
      Temporal.PlainDate.compare(date, this.end) < 0
    );
  }

  /** The interval of the same kind that ends where this one starts. Throws for custom ones. */
  prev(): DateInterval {
    return DateInterval.of(this.#calendarKind("before"), this.start.subtract({ days: 1 }));
  }

  /** The interval of the same kind that starts where this one ends. Throws for custom ones. */
  next(): DateInterval {
    return DateInterval.of(this.#calendarKind("after"), this.end);
  }

  /** The text that `parse` reads. Years below 1000 print without padding, as Luigi's do. */
  toString(): string {
    return TEXT[this.kind](this);
  }

  toJSON(): string {
    return this.toString();
  }

  #calendarKind(side: string): CalendarIntervalKind {
    if (this.kind !== "custom") return this.kind;
    throw invalid(
      `${this.toString()} is a custom interval: none comes ${side} it, use its start and end`,
    );
  }
}

export const dateInterval: ParamKind<DateInterval> = {
  name: "date interval",
  form: FORM,
  decode: (text) => DateInterval.tryParse(text),
  encode: (value) => (value instanceof DateInterval ? value.toString() : undefined),
};

type Span<K> = readonly [kind: K, start: Temporal.PlainDate, end: Temporal.PlainDate];

const LENGTH = {
  year: { years: 1 },
  month: { months: 1 },
  week: { weeks: 1 },
  date: { days: 1 },
} as const;

const START: Record<CalendarIntervalKind, (date: Temporal.PlainDate) => Temporal.PlainDate> = {
  year: (date) => date.with({ month: 1, day: 1 }),
  month: (date) => date.with({ day: 1 }),
  week: (date) => date.subtract({ days: date.dayOfWeek - 1 }),
  date: (date) => date,
};

const TEXT: Record<DateIntervalKind, (interval: DateInterval) => string> = {
  year: ({ start }) => String(start.year),
  month: ({ start }) => dayText(start).slice(0, -"-01".length),
  week: ({ start }) =>
    `${start.yearOfWeek ?? 0}-W${String(start.weekOfYear ?? 0).padStart(2, "0")}`,
  date: ({ start }) => dayText(start),
  custom: ({ start, end }) => `${dayText(start)}-${dayText(end)}`,
};

function dayText(date: Temporal.PlainDate): string {
  return date.toString().replace(/^0+/, "");
}

function spanOfText(text: string): Span<DateIntervalKind> | undefined {
  const groups = INTERVAL.exec(text)?.slice(1) ?? [];
  const [year, week, month, day, endYear, endMonth, endDay] = groups.map((group) =>
    group === undefined ? undefined : Number(group),
  );
  if (year === undefined) return undefined;
  if (week !== undefined) return spanOfWeek(year, week);
  const start = dateOf(year, month, day);
  if (start === undefined) return undefined;
  if (endYear !== undefined) {
    const end = dateOf(endYear, endMonth, endDay);
    return end === undefined ? undefined : ["custom", start, end];
  }
  if (day !== undefined) return spanOfDate("date", start);
  return spanOfDate(month === undefined ? "year" : "month", start);
}

function spanOfWeek(year: number, week: number): Span<"week"> | undefined {
  // The fourth of January is always in week 1.
  const date = dateOf(year, 1, 4)?.add({ weeks: week - 1 });
  if (date?.yearOfWeek !== year || date.weekOfYear !== week) return undefined;
  return spanOfDate("week", date);
}

function spanOfDate<K extends CalendarIntervalKind>(
  kind: K,
  date: Temporal.PlainDate,
): Span<K> | undefined {
  const start = START[kind](date);
  const end = start.add(LENGTH[kind]);
  return dateText(start) && dateText(end) ? [kind, start, end] : undefined;
}

function invalid(message: string): PermanentError {
  return new PermanentError("DATE_INTERVAL_INVALID", message);
}
