/** tests/vectors/luigi-summary-lines.json holds what real Luigi 3.8.1 prints for groups of tasks. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { familyLines } from "../../../src/cli/family-lines.ts";
import { defineTask } from "../../../src/core/define.ts";
import type { ParamCodec } from "../../../src/core/params/codec.ts";
import { p } from "../../../src/core/params/p.ts";

interface Vector {
  readonly title: string;
  readonly groups: readonly {
    readonly family: string;
    readonly params: Record<string, "int" | "text" | "date" | "month" | "year" | "dateHour">;
    /** Python's JSON keeps the order, but keys that look like numbers would not. */
    readonly order: readonly string[];
    readonly tasks: readonly (readonly string[])[];
  }[];
  readonly lines: readonly string[];
}

const vectors: Vector[] = JSON.parse(
  readFileSync(new URL("../../vectors/luigi-summary-lines.json", import.meta.url), "utf8"),
);

function tasksOf({ groups }: Vector) {
  return groups.flatMap(({ family, params, order, tasks }) => {
    const declaration: Record<string, ParamCodec> = {};
    for (const name of order) declaration[name] = p[params[name] ?? "text"]();
    const make = defineTask({ name: family, params: declaration }, () => undefined);
    return tasks.map((texts) =>
      make.parse(Object.fromEntries(order.map((name, index) => [name, texts[index] ?? ""]))),
    );
  });
}

describe("tasks are summed up as Luigi does it", () => {
  test("there are vectors", () => expect(vectors.length).toBeGreaterThan(90));

  test.each(vectors.map((vector) => [vector.title, vector] as const))("%s", (_title, vector) => {
    const lines = familyLines(tasksOf(vector)).map((line) => `    ${line}`);
    expect(lines).toEqual(vector.lines);
  });
});

describe("where Luigi has no example", () => {
  test("parameters that are not significant are not shown", () => {
    const Load = defineTask(
      {
        name: "Load",
        params: { day: p.date(), note: p.text({ significant: false }) },
      },
      () => undefined,
    );
    const days = ["01", "02", "03", "04"];
    const tasks = days.map((day) => Load.parse({ day: `2026-11-${day}`, note: "secret" }));
    expect(familyLines(tasks)).toEqual(["- 4 Load(day=2026-11-01...2026-11-04)"]);
  });

  test("the last day of the calendar ends a range", () => {
    const Day = defineTask({ name: "Day", params: { date: p.date() } }, () => undefined);
    const tasks = ["28", "29", "30", "31"].map((day) => Day.parse({ date: `9999-12-${day}` }));
    expect(familyLines(tasks)).toEqual([
      "- 4 Day(date=9999-12-28,9999-12-29,9999-12-30,9999-12-31)",
    ]);
  });

  test("a number that may be left out has no range", () => {
    const Part = defineTask({ name: "Part", params: { n: p.int().optional() } }, () => undefined);
    const tasks = ["", "1", "2", "3", "4"].map((n) => Part.parse({ n }));
    expect(familyLines(tasks)).toEqual(["- 5 Part(n=,1,2,3,4)"]);
  });
});
