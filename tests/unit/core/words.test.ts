/** Durations, names that are near, and secrets: small functions on text. */
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { backoffRange, durationText, milliseconds } from "../../../src/core/duration.ts";
import { didYouMean, nearest } from "../../../src/core/nearest.ts";
import { maskSecrets, Secret } from "../../../src/core/secret.ts";

describe("a duration", () => {
  test.each([
    ["250ms", 250],
    ["30s", 30_000],
    ["1.5m", 90_000],
    ["2h", 7_200_000],
    ["1d", 86_400_000],
    ["0s", 0],
  ])("%s is %d milliseconds", (text, expected) => {
    expect(milliseconds(text, "x")).toBe(expected);
  });

  test.each(["", "30", "s", "-1s", "1 h", "1e3s", "30sec", "1h30m", "30s\n"])(
    "%j is none",
    (text) => {
      expect(() => milliseconds(text, "Dump: timeout")).toThrow(
        `Dump: timeout: expected a duration like "30s", "10m" or "2h", got ${JSON.stringify(text)}`,
      );
    },
  );

  test.each(["250ms", "30s", "90m", "2h", "1d"])("%s is written as it was read", (text) => {
    expect(durationText(milliseconds(text, "x"))).toBe(text);
  });

  test("may be a range for a backoff", () => {
    expect(backoffRange("30s..10m", "x")).toEqual({ first: 30_000, last: 600_000 });
    expect(backoffRange("30s", "x")).toEqual({ first: 30_000, last: 30_000 });
    expect(() => backoffRange("10m..30s", "Dump: backoff")).toThrow(
      'Dump: backoff: the range "10m..30s" ends before it begins',
    );
    expect(() => backoffRange("1s..2s..3s", "x")).toThrow('got "2s..3s"');
    expect(() => backoffRange("..2s", "x")).toThrow('got ""');
  });
});

describe("the nearest name", () => {
  test.each([
    ["AllTask", "AllTasks"],
    ["alltasks", "AllTasks"],
    ["Dmup", "Dump"],
    ["date", undefined],
  ])("to %s is %s", (unknown, expected) => {
    expect(nearest(unknown, ["AllTasks", "Dump", "LoadTable"])).toBe(expected);
  });

  test("is suggested, or nothing is said", () => {
    expect(didYouMean("tabel", ["table", "date"])).toBe(' Did you mean "table"?');
    expect(didYouMean("x", [])).toBe("");
  });
});

describe("a secret", () => {
  test("prints as *** in every printer, and is read by reveal()", () => {
    const secret = new Secret("hunter2");
    const holder = { password: secret, list: [secret] };
    const printed = [
      String(secret),
      [secret].join(),
      JSON.stringify(holder),
      inspect(holder, { depth: 9 }),
    ];
    expect(printed.join()).not.toContain("hunter2");
    expect(JSON.stringify(secret)).toBe('"***"');
    expect(secret.reveal()).toBe("hunter2");
  });

  test.each([
    ["postgres://app:hunter2@db:5432/shop", "postgres://app:***@db:5432/shop"],
    ["redis://:hunter2@cache:6379/0", "redis://:***@cache:6379/0"],
    ["postgres://app:hun@ter:2@db/shop failed", "postgres://app:***@db/shop failed"],
    ["host=db password=hunter2 user=app", "host=db password=*** user=app"],
    [`{"password": "hunter2", "user": "app"}`, `{"password": ***, "user": "app"}`],
    [`{"password":"hunter2"}`, `{"password":***}`],
    ["ALTER USER app PASSWORD 'hunter2'", "ALTER USER app PASSWORD ***"],
    ["PGPASSWORD=hunter2 psql", "PGPASSWORD=*** psql"],
    [
      "CREDENTIALS 'aws_access_key_id=AKIA;aws_secret_access_key=hunter2;session_token=hunter2'",
      "CREDENTIALS 'aws_access_key_id=AKIA;aws_secret_access_key=***;session_token=***'",
    ],
    ["SECRET_ACCESS_KEY 'hun''ter2' REGION 'eu'", "SECRET_ACCESS_KEY *** REGION 'eu'"],
  ])("in %j is masked", (text, expected) => {
    expect(maskSecrets(text)).toBe(expected);
  });

  test.each([
    'password authentication failed for user "app"',
    "http://localhost:6379/path?at=me",
    "s3://bucket/dumps/orders/2026-11-21/",
    "expected password to be a text",
  ])("is not seen in %j", (text) => {
    expect(maskSecrets(text)).toBe(text);
  });
});
