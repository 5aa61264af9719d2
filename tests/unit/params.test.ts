import * as fc from "fast-check";
import { Temporal } from "temporal-polyfill";
import { describe, expect, test } from "vitest";
import { describeParam, isSignificant, type ParamCodec } from "../../src/core/params/codec.ts";
import { p } from "../../src/core/params/p.ts";

interface Readable {
  safeDecode(text: string): { success: boolean };
}

/** The message of the first issue, as a person reads it. */
function refusal(result: { success: boolean; error?: { issues: { message: string }[] } }): string {
  if (result.success) throw new Error("was not refused");
  return result.error?.issues[0]?.message ?? "";
}

describe("a codec says what it expected, and what it got", () => {
  test.each([
    [p.date().safeDecode("yesterday"), 'expected date to be YYYY-MM-DD, got "yesterday"'],
    [p.month().safeDecode("2015"), 'expected month to be YYYY-MM, got "2015"'],
    [p.int().safeDecode("1.0"), 'expected int to be a whole number, got "1.0"'],
    [
      p.int({ min: 0, max: 63 }).safeDecode("64"),
      'expected int to be a whole number from 0 to 63, got "64"',
    ],
    [p.bool().safeDecode("yes"), 'expected bool to be true or false, got "yes"'],
    [p.choice(["a", "b"]).safeDecode("c"), 'expected choice to be one of "a", "b", got "c"'],
    [
      p.list(p.date()).safeDecode('["x"]'),
      'expected list to be a JSON list with members of the form YYYY-MM-DD, got "[\\"x\\"]"',
    ],
  ])("%#", (result, message) => expect(refusal(result)).toBe(message));

  test("and does not repeat a long text", () => {
    expect(refusal(p.int().safeDecode("x".repeat(5000))).length).toBeLessThan(200);
  });
});

describe("what Luigi accepts by accident is refused", () => {
  test.each<[string, Readable, string, string]>([
    ["duration", p.duration(), "1 day garbage", "Luigi ignores the garbage"],
    ["dateMinute", p.dateMinute(), "2013-07-10T19", "Luigi takes it for 01:09"],
    ["date", p.date(), "2015-11- 4", "Luigi takes a space for a zero"],
    ["bool", p.bool(), "1", "Luigi makes None of a 1 given in code"],
    ["dateInterval", p.dateInterval(), "2015-11\n", "Luigi ignores a newline at the end"],
  ])("%s %j %j: %s", (_name, codec, text) => expect(codec.safeDecode(text).success).toBe(false));
});

describe("p.int", () => {
  test("is a number while that is exact, and a bigint beyond", () => {
    expect(p.int().decode("9007199254740991")).toBe(9_007_199_254_740_991);
    expect(p.int().decode("9007199254740992")).toBe(9_007_199_254_740_992n);
    const text = "123456789012345678901234567890";
    expect(p.int().encode(p.int().decode(text))).toBe(text);
    expect(p.int().encode(p.int().decode(`-${text}`))).toBe(`-${text}`);
  });

  test("refuses numbers that are not exact or not whole", () => {
    expect(p.int().safeEncode(2 ** 53).success).toBe(false);
    expect(p.int().safeEncode(1.5).success).toBe(false);
  });

  test("reads what Python reads: underscores, spaces, digits of other scripts", () => {
    const texts = [" +1_000\n", "\u0661\u0662", "\u{1d7d8}7", "007"];
    expect(texts.map((text) => p.int().decode(text))).toEqual([1000, 12, 7, 7]);
  });
});

describe("p.float prints as Python does", () => {
  test.each([
    [1, "1.0"],
    [1e16, "1e+16"],
    [123_456_789_012_345_680, "1.2345678901234568e+17"],
    [9_999_999_999_999_998, "9999999999999998.0"],
    [0.0001, "0.0001"],
    [0.000_01, "1e-05"],
    [1.5e-7, "1.5e-07"],
    [5e-324, "5e-324"],
    [-0, "-0.0"],
    [Number.NaN, "nan"],
    [Number.NEGATIVE_INFINITY, "-inf"],
  ])("%d as %s", (value, text) => expect(p.float().encode(value)).toBe(text));

  test("and reads back every value", () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        expect(p.float().decode(p.float().encode(value))).toBe(value);
      }),
    );
  });
});

describe("dates and durations", () => {
  test("every day of four centuries reads back", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 150_000 }), (days) => {
        const day = Temporal.PlainDate.from("1700-01-01").add({ days });
        expect(p.date().decode(p.date().encode(day)).toString()).toBe(day.toString());
      }),
    );
  });

  test("a date of another calendar is refused, not printed in ours", () => {
    const date = Temporal.PlainDate.from("2015-11-04").withCalendar("gregory");
    expect(p.date().safeEncode(date).success).toBe(false);
  });

  test("a date hour loses its minutes", () => {
    const time = Temporal.PlainDateTime.from("2013-07-10T19:07:38.5");
    expect(p.dateHour().encode(time)).toBe("2013-07-10T19");
    expect(p.dateMinute().encode(time)).toBe("2013-07-10T1907");
  });

  test("a duration with short units is read to its end, where Luigi drops the seconds", () => {
    expect(p.duration().encode(p.duration().decode("5 min 3 sec"))).toBe("0 w 0 d 0 h 5 m 3 s");
  });

  test("a duration has days as its largest unit, so that its total needs no calendar", () => {
    expect(p.duration().decode("1 w 2 d 3 h").total("hours")).toBe(219);
    expect(p.duration().encode(Temporal.Duration.from({ weeks: 2 }))).toBe("2 w 0 d 0 h 0 m 0 s");
    expect(p.duration().safeEncode(Temporal.Duration.from({ months: 1 })).success).toBe(false);
  });
});

describe("names and places", () => {
  test.each(["orders", "public.order_items", "Mixed Case.ümlaut", "a".repeat(63)])(
    "%j is a table",
    (name) => expect(p.table().encode(p.table().decode(name))).toBe(name),
  );

  test.each(["", ".", "a.", "a.b.c", 'a"b', "a'b", "a\nb", "a\0", " a", "ü".repeat(32), "\ud800"])(
    "%j is no table",
    (name) => expect(p.table().safeDecode(name).success).toBe(false),
  );

  test("an identifier has no schema", () => {
    expect(p.identifier().decode("order_id")).toBe("order_id");
    expect(p.identifier().safeDecode("public.orders").success).toBe(false);
  });

  test.each(["s3://data-lake/orders/2024/", "s3://b.c-d/ü/a..b", `s3://abc/${"k".repeat(1024)}`])(
    "%.60j is a place in S3",
    (place) => expect(p.s3().decode(place)).toBe(place),
  );

  test.each([
    "s3://bucket",
    "s3://bucket/",
    "s3://bucket//a",
    "s3://bucket/a//b",
    "s3://bucket/a//",
    "s3://bucket/../a",
    "s3://bucket/a/..",
    "s3://bucket/a\n",
    "s3://Bucket/a",
    "s3://a..b/c",
    "https://bucket/a",
    `s3://abc/${"ü".repeat(513)}`,
  ])("%.60j is none", (place) => expect(p.s3().safeDecode(place).success).toBe(false));
});

describe("p.list and p.dict", () => {
  test.each([
    '{"10": 1, "9": 2}',
    '{"__proto__": {"1": 1.0, "0": 1}}',
    '{"i": 12345678901234567890, "f": 1.0, "e": 100.0, "n": NaN}',
  ])("keep the text of Python: %s", (text) => {
    const value = p.dict().decode(text);
    expect(p.dict().encode(value)).toBe(text);
    expect(Object.isFrozen(value)).toBe(true);
  });

  test("give plain values", () => {
    expect(p.list().decode('[1, "a", {"b": [null, true]}]')).toEqual([1, "a", { b: [null, true] }]);
    expect(p.dict().decode('{"a": 1, "a": 2}')).toEqual({ a: 2 });
  });

  test("print values of code in their order", () => {
    expect(p.dict().encode({ b: 1, a: [1.5, "é"] })).toBe('{"b": 1, "a": [1.5, "\\u00e9"]}');
  });

  test("a part of what was read still prints as it was written", () => {
    const [inner] = p.list().decode("[[1.0, 2]]");
    expect(p.list().encode([inner ?? null])).toBe("[[1.0, 2]]");
  });

  test.each([new Map(), undefined, Symbol("x"), Temporal.Now.plainDateISO(), { a: new Map() }])(
    "refuse a value that is not JSON: %s",
    (value) => {
      const schema: ParamCodec = p.list();
      expect(schema.safeEncode([value]).success).toBe(false);
      expect(schema.safeEncode(value).success).toBe(false);
    },
  );

  test("of one codec have its values, and JSON's literals for numbers and flags", () => {
    const dates = p.list(p.date());
    expect(dates.decode('["2015-1-4"]').map(String)).toEqual(["2015-01-04"]);
    expect(dates.encode(dates.decode('["2015-1-4"]'))).toBe('["2015-01-04"]');
    expect(p.list(p.int()).encode([1, 2n ** 70n])).toBe("[1, 1180591620717411303424]");
    expect(p.list(p.float()).encode([1, Number.NaN, -1 / 0])).toBe("[1.0, NaN, -Infinity]");
    expect(p.list(p.bool()).encode(p.list(p.bool()).decode("[true]"))).toBe("[true]");
    expect(p.dict(p.list(p.int())).encode({ a: [1] })).toBe('{"a": [1]}');
    expect(p.list(p.int()).safeDecode('["1"]').success).toBe(false);
    expect(p.list(p.int()).safeDecode("[1.0]").success).toBe(false);
    expect(p.dict(p.int()).encode(p.dict(p.int()).decode('{"10":1,"9":2}'))).toBe(
      '{"10": 1, "9": 2}',
    );
  });

  test("whatever JSON can say reads back", () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (value) => {
        const text = p.list().encode(p.list().decode(JSON.stringify(value)));
        expect(p.list().encode(p.list().decode(text))).toBe(text);
        expect(JSON.stringify(JSON.parse(text))).toBe(JSON.stringify(value));
      }),
    );
  });

  test("a text that is nested too deep is refused, not a crash", () => {
    const text = "[".repeat(100_000);
    expect(p.list().safeDecode(text).success).toBe(false);
  });
});

describe("what is known about a parameter", () => {
  const quiet = { significant: false, description: "Only for the log." };

  test("survives zod's own chain", () => {
    for (const schema of [
      p.int(quiet),
      p.int(quiet).optional(),
      p.int(quiet).default(3),
      p.int(quiet).optional().default(3).describe("x"),
      p
        .text(quiet)
        .refine((text) => text !== "")
        .optional(),
      p.list(p.int(), quiet).readonly().optional(),
    ]) {
      expect(isSignificant(schema)).toBe(false);
      expect(describeParam(schema)?.description).toBe(quiet.description);
    }
  });

  test("is significant unless it says otherwise", () => {
    expect(isSignificant(p.int().optional())).toBe(true);
    expect(isSignificant(p.list(p.int(quiet)))).toBe(true);
  });
});
