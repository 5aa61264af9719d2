/** Each of the invariants of the reliability contract has a test whose title begins with its number. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const TESTS = new URL("../", import.meta.url);

test("every invariant has a test named after it", () => {
  const files = readdirSync(TESTS, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".ts"),
  );
  const named = new Set(
    files.flatMap((file) => {
      const text = readFileSync(new URL(file, TESTS), "utf8");
      // A title, or one of a list of titles.
      return [...text.matchAll(/^\s*(?:test\(|test\.each\(.*\)\()?["'`]INV(\d+) /gm)].map((match) =>
        Number(match[1]),
      );
    }),
  );
  const wanted = Array.from({ length: 19 }, (_, index) => index + 1);
  expect(wanted.filter((number) => !named.has(number))).toEqual([]);
});
