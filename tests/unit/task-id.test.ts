/** tests/vectors/luigi-task-ids.json holds outputs of real Luigi 3.8.1. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { taskId } from "../../src/core/task-id.ts";

interface Vector {
  readonly tag: string;
  readonly family: string;
  readonly params: Record<string, string>;
  readonly task_id: string;
}

const vectors: Vector[] = JSON.parse(
  readFileSync(new URL("../vectors/luigi-task-ids.json", import.meta.url), "utf8"),
);

describe("a task id is byte for byte Luigi's", () => {
  test("there are vectors", () => expect(vectors.length).toBeGreaterThan(150));

  test.each(vectors.map((vector) => [vector.tag, vector.task_id.slice(0, 60), vector] as const))(
    "%s: %s",
    (_tag, _id, { family, params, task_id }) => expect(taskId(family, params)).toBe(task_id),
  );
});

describe("a task id counts, cuts and sorts as Python does", () => {
  // Expected values: Luigi's formula in Python 3.11 (json.dumps, hashlib, re).
  test.each([
    ["keys that look like numbers", '{"10":"a","9":"b"}', "F_a_b_978d5238d3"],
    ["a key named __proto__", '{"__proto__":"x","a":"y"}', "F_x_y_ab0d1d0aab"],
    [
      "astral keys after U+FFFF",
      '{"\\ud83d\\ude00":"1","\\uffff":"2","\\ue000":"3"}',
      "F_3_2_1_dadf8b7c5c",
    ],
    [
      "a lone surrogate before U+E000",
      '{"\\ue000":"1","\\ud83d":"2","\\ud83dx":"3"}',
      "F_2_3_1_f47022bad1",
    ],
    ["one underscore for one code point", '{"a":"\\ud83d\\ude00\\ud800-"}', "F_____f82c0eb69a"],
  ])("%s", (_name, params, id) => expect(taskId("F", JSON.parse(params))).toBe(id));

  test("the order in which parameters are given does not matter", () => {
    expect(taskId("F", { b: "2", a: "1" })).toBe(taskId("F", { a: "1", b: "2" }));
  });

  test("100,000 tasks have 100,000 ids", () => {
    const ids = new Set<string>();
    for (let n = 0; n < 100_000; n++) ids.add(taskId("F", { table: `public.t${n}`, date: "x" }));
    expect(ids.size).toBe(100_000);
  });
});
