import { Temporal } from "temporal-polyfill";
import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { UsageError } from "../../src/core/errors.ts";
import type { DateInterval } from "../../src/core/params/date-interval.ts";
import { p } from "../../src/core/params/p.ts";
import {
  normalizeParams,
  type ParamArguments,
  type ParamValues,
  parseParams,
} from "../../src/core/params/schema.ts";

const params = {
  table: p.table(),
  date: p.date(),
  limit: p.int({ min: 0, max: 99, significant: false }).default(10),
  note: p.text().optional(),
};
const date = Temporal.PlainDate.from("2015-01-04");

function errorOf(run: () => unknown): UsageError {
  try {
    run();
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** As a caller without types would. */
function untyped(args: object) {
  return errorOf(() => Reflect.apply(normalizeParams, undefined, ["TableCopyToS3", params, args]));
}

describe("parameters given by code", () => {
  test("have values, texts, and the texts of the id, in the order of the declaration", () => {
    const { values, texts, significantTexts } = normalizeParams("F", params, {
      date,
      table: "public.orders",
    });
    expect(values).toEqual({ table: "public.orders", date, limit: 10, note: undefined });
    expect(Object.entries(texts)).toEqual([
      ["table", "public.orders"],
      ["date", "2015-01-04"],
      ["limit", "10"],
      ["note", ""],
    ]);
    expect(Object.keys(significantTexts)).toEqual(["table", "date", "note"]);
    expect([values, texts, significantTexts].every(Object.isFrozen)).toBe(true);
  });

  test("have the value that their text reads back as", () => {
    const time = Temporal.PlainDateTime.from("2013-07-10T19:07");
    const { values } = normalizeParams(
      "F",
      { at: p.dateHour(), note: p.text().optional() },
      {
        at: time,
        note: "",
      },
    );
    expect(values.at.toString()).toBe("2013-07-10T19:00:00");
    expect(values.note).toBeUndefined();
  });

  test("of a wrong type are refused", () => {
    const error = untyped({ table: "orders", date: "yesterday" });
    expect(error.message).toBe('TableCopyToS3: expected date to be YYYY-MM-DD, got "yesterday"');
    expect(error.code).toBe("PARAMETER_INVALID");
    expect(error.fields).toEqual({
      family: "TableCopyToS3",
      parameter: "date",
      got: '"yesterday"',
    });
  });

  test("that are unknown are refused with the nearest name", () => {
    const error = untyped({ tabel: "orders", date });
    expect(error.message).toBe('TableCopyToS3 has no parameter "tabel". Did you mean "table"?');
    expect(error.code).toBe("PARAMETER_UNKNOWN");
  });

  test("that are missing are named, with their form", () => {
    const error = untyped({ table: "orders" });
    expect(error.message).toBe(
      'TableCopyToS3: parameter "date" is missing. It is a date (YYYY-MM-DD).',
    );
    expect(error.code).toBe("PARAMETER_MISSING");
  });

  test("are not looked for in prototypes", () => {
    const declaration = JSON.parse('{"constructor":0,"__proto__":0}');
    for (const name of Object.keys(declaration)) {
      Object.defineProperty(declaration, name, { value: p.text(), enumerable: true });
    }
    const normalize = (args: object) =>
      errorOf(() => Reflect.apply(normalizeParams, undefined, ["F", declaration, args]));
    expect(normalize({}).code).toBe("PARAMETER_MISSING");
    const args = JSON.parse('{"constructor":"a","__proto__":"b"}');
    const { texts } = normalizeParams("F", declaration, args);
    expect(JSON.stringify(texts)).toBe('{"constructor":"a","__proto__":"b"}');
  });

  test("a default is checked as any value is, at each use", () => {
    let calls = 0;
    const declaration = { n: p.int({ min: 0, max: 9 }).default(() => calls++ + 9) };
    expect(normalizeParams("F", declaration, {}).values.n).toBe(9);
    expect(() => normalizeParams("F", declaration, {})).toThrow(
      "F: expected n to be a whole number from 0 to 9, got 10",
    );
  });

  test("a date that Luigi's text cannot hold is refused", () => {
    const early = Temporal.PlainDate.from("0999-01-01");
    expect(() => normalizeParams("F", { date: p.date() }, { date: early })).toThrow(
      'F: expected date to be YYYY-MM-DD, got "999-01-01"',
    );
  });

  test("a codec of your own is a parameter too", () => {
    const upper = z.codec(z.string(), z.string().min(3), {
      decode: (text) => text.toLowerCase(),
      encode: (value) => value.toUpperCase(),
    });
    expect(normalizeParams("F", { upper }, { upper: "abc" }).texts).toEqual({ upper: "ABC" });
    expect(errorOf(() => normalizeParams("F", { upper }, { upper: "ab" })).message).toMatch(
      /^F: upper is not valid: .*, got "ab"$/,
    );
  });
});

describe("parameters given as text", () => {
  test("give the same as those of code", () => {
    const given = normalizeParams("F", params, { table: "orders", date, limit: 5, note: "x" });
    expect(parseParams("F", params, given.texts)).toEqual(given);
  });

  test("are printed anew: one value has one text", () => {
    const { texts } = parseParams("F", params, { table: "t", date: "2015-1-4", limit: "+7" });
    expect(texts).toMatchObject({ date: "2015-01-04", limit: "7" });
  });

  test("mean undefined when they are empty and it is a value, and nothing else otherwise", () => {
    const declaration = { a: p.text().optional(), b: p.text(), c: p.text().default("x") };
    const { values } = parseParams("F", declaration, { a: "", b: "", c: "" });
    expect(values).toEqual({ a: undefined, b: "", c: "" });
    expect(() => parseParams("F", { n: p.int().default(3) }, { n: "" })).toThrow(/got ""$/);
  });

  test("say which parameter they are wrong for", () => {
    const texts = { table: "t", date: "yesterday" };
    expect(() => parseParams("TableCopyToS3", params, texts)).toThrow(
      'TableCopyToS3: expected date to be YYYY-MM-DD, got "yesterday"',
    );
  });
});

describe("types", () => {
  const declaration = {
    date: p.date(),
    span: p.dateInterval(),
    any: p.int(),
    small: p.int({ min: 0, max: 9 }),
    mode: p.choice(["append", "replace"]),
    days: p.list(p.date()),
    limit: p.int({ min: 0, max: 9 }).default(3),
    note: p.text().optional(),
  };

  test("values are those that the codecs read", () => {
    expectTypeOf<ParamValues<typeof declaration>>().toEqualTypeOf<{
      readonly date: Temporal.PlainDate;
      readonly span: DateInterval;
      readonly any: number | bigint;
      readonly small: number;
      readonly mode: "append" | "replace";
      readonly days: readonly Temporal.PlainDate[];
      readonly limit: number;
      readonly note: string | undefined;
    }>();
  });

  test("arguments leave out what has a default or is optional", () => {
    type Arguments = ParamArguments<typeof declaration>;
    expectTypeOf<Arguments["date"]>().toEqualTypeOf<Temporal.PlainDate>();
    expectTypeOf<Arguments["limit"]>().toEqualTypeOf<number | undefined>();
    expectTypeOf<Pick<Arguments, "note">>().toEqualTypeOf<{ readonly note?: string | undefined }>();
    expectTypeOf<ParamArguments<typeof params>>().toExtend<{ date: Temporal.PlainDate }>();
    expectTypeOf({ table: "t", date }).toExtend<ParamArguments<typeof params>>();
    // @ts-expect-error -- the date is missing
    expect(() => normalizeParams("F", params, { table: "t" })).toThrow(/"date" is missing/);
    // @ts-expect-error -- a date is no text
    expect(() => normalizeParams("F", params, { table: "t", date: "x" })).toThrow(/YYYY-MM-DD/);
  });
});
