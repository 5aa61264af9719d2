/** tests/vectors/luigi-date-intervals.json holds outputs of real Luigi 3.8.1. */
import { readFileSync } from "node:fs";
import { Temporal } from "temporal-polyfill";
import { describe, expect, test } from "vitest";
import { type CalendarIntervalKind, DateInterval } from "../../src/core/params/date-interval.ts";
import { p } from "../../src/core/params/p.ts";

interface Parsed {
  readonly input: string;
  readonly ok: boolean;
  readonly cls: string;
  readonly date_a: string;
  readonly date_b: string;
  readonly to_string: string;
  readonly serialized: string;
  readonly dates: string[];
  readonly n_hours: number;
  readonly first_hour?: string;
  readonly last_hour?: string;
  readonly prev?: string;
  readonly next?: string;
}

interface Vectors {
  readonly parse: Parsed[];
  readonly compare: { a: string; b: string; eq: boolean | string; lt: boolean | string }[];
  readonly contains: { interval: string; date: string; in: boolean }[];
  readonly from_date: { cls: string; date: string; to_string: string }[];
}

const vectors: Vectors = JSON.parse(
  readFileSync(new URL("../vectors/luigi-date-intervals.json", import.meta.url), "utf8"),
);

/** Luigi accepts these by accident; we refuse them. */
const REFUSED = new Map([
  ["2015\n", "Python's $ also matches before a newline at the end"],
  ["2015-11-04\n", "Python's $ also matches before a newline at the end"],
]);

const KINDS: Readonly<Record<string, CalendarIntervalKind>> = {
  Year: "year",
  Month: "month",
  Week: "week",
  Date: "date",
};

const date = (text: string) => Temporal.PlainDate.from(text);
const textOf = (neighbour: () => DateInterval) => {
  try {
    return neighbour().toString();
  } catch {
    return undefined;
  }
};

describe("date intervals are Luigi's", () => {
  const valid = vectors.parse.filter(({ ok, input }) => ok && !REFUSED.has(input));
  const invalid = vectors.parse.filter(({ ok, input }) => !ok || REFUSED.has(input));

  test("every listed accident is in the vectors", () => {
    expect(invalid.filter(({ ok }) => ok)).toHaveLength(REFUSED.size);
    expect(valid.length).toBeGreaterThan(30);
  });

  test.each(valid.map((vector) => [vector.input, vector] as const))(
    "%j is read",
    (text, vector) => {
      const interval = DateInterval.parse(text);
      expect(interval.kind).toBe(vector.cls.toLowerCase());
      expect(interval.start.toString()).toBe(vector.date_a);
      expect(interval.end.toString()).toBe(vector.date_b);
      expect(interval.toString()).toBe(vector.to_string);
      expect(p.dateInterval().encode(p.dateInterval().decode(text))).toBe(vector.serialized);
      expect(interval.dates().map(String)).toEqual(vector.dates);
      const hours = interval.hours().map(String);
      expect([hours.length, hours[0], hours.at(-1)]).toEqual([
        vector.n_hours,
        vector.first_hour,
        vector.last_hour,
      ]);
      expect(textOf(() => interval.prev())).toBe(vector.prev);
      expect(textOf(() => interval.next())).toBe(vector.next);
    },
  );

  test.each(invalid.map(({ input }) => input))("%j is refused", (text) => {
    expect(p.dateInterval().safeDecode(text).success).toBe(false);
    expect(() => DateInterval.parse(text)).toThrow(/expected a date interval to be YYYY, /);
  });

  const compare = (a: string, b: string) =>
    DateInterval.compare(DateInterval.parse(a), DateInterval.parse(b));

  test.each(vectors.compare.filter(({ eq }) => typeof eq === "boolean"))(
    "$a compares with $b",
    ({ a, b, eq, lt }) => {
      expect([compare(a, b) === 0, compare(a, b) < 0]).toEqual([eq, lt]);
    },
  );

  test.each(vectors.compare.filter(({ eq }) => typeof eq === "string"))(
    "$a does not compare with $b",
    ({ a, b }) => expect(() => compare(a, b)).toThrow(/two kinds have no order/),
  );

  test.each(vectors.contains)("$interval and $date", ({ interval, date: day, in: contained }) => {
    expect(DateInterval.parse(interval).contains(date(day))).toBe(contained);
  });

  test.each(vectors.from_date)(
    "the $cls of $date is $to_string",
    ({ cls, date: day, to_string }) => {
      expect(DateInterval.of(KINDS[cls]!, date(day)).toString()).toBe(to_string);
    },
  );
});

describe("a date interval", () => {
  test("is frozen and prints as its text in JSON", () => {
    const interval = DateInterval.parse("2015-W35");
    expect(Object.isFrozen(interval)).toBe(true);
    expect(JSON.stringify({ interval })).toBe('{"interval":"2015-W35"}');
  });

  test("that is custom has no neighbours, and says so", () => {
    const interval = DateInterval.between(date("2015-11-04"), date("2015-11-09"));
    expect(() => interval.next()).toThrow(
      "2015-11-04-2015-11-09 is a custom interval: none comes after it, use its start and end",
    );
  });

  test("orders by start, then by end", () => {
    const texts = ["2015-11-05-2015-11-06", "2015-11-04-2015-11-09", "2015-11-04-2015-11-05"];
    const sorted = texts.map((text) => DateInterval.parse(text)).sort(DateInterval.compare);
    expect(sorted.map(String)).toEqual(texts.toReversed());
  });

  test("does not leave the years that Luigi has", () => {
    expect(() => DateInterval.of("year", date("9999-05-05"))).toThrow(/years 1 to 9999/);
    expect(() => DateInterval.between(date("2015-01-01"), date("+010000-01-01"))).toThrow(
      /years 1 to 9999/,
    );
  });
});
