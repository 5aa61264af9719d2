import { describe, expect, test } from "vitest";
import { defineConfig } from "../../../src/core/config.ts";
import { defineTask } from "../../../src/core/define.ts";
import { UsageError } from "../../../src/core/errors.ts";
import { p } from "../../../src/core/params/p.ts";
import { daily } from "../../../src/core/schedule.ts";

const A = defineTask({ name: "AllTasks", params: { date: p.date() }, queue: "sql" }, () => {});
const B = defineTask({ name: "Dump", queue: "copy" }, () => {});

describe("a project", () => {
  test("knows families by name, and their queues", () => {
    const project = defineConfig({ tasks: [A, B, B] });
    expect(project.family("Dump")).toBe(B);
    expect([...project.families.keys()]).toEqual(["AllTasks", "Dump"]);
    expect(project.queues).toEqual(["copy", "sql"]);
  });

  test("takes a module, and passes over what is no family", () => {
    const project = defineConfig({ tasks: { A, B, helper: () => {}, VERSION: 3, task: B() } });
    expect([...project.families.keys()]).toEqual(["AllTasks", "Dump"]);
  });

  test("refuses two families of one name", () => {
    const Other = defineTask({ name: "Dump" }, () => {});
    expect(() => defineConfig({ tasks: [B, Other] })).toThrow(
      "Two families are named Dump: give one of them another name, or their tasks would share ids",
    );
  });

  test("refuses two schedules of one root: one would replace the other in Redis", () => {
    const schedules = [daily(A, { at: "02:30" }), daily(A, { at: "04:00" })];
    expect(() => defineConfig({ tasks: [A], schedules })).toThrow(
      "Two schedules are named AllTasks",
    );
  });

  test("suggests the nearest name to an unknown one, or lists what it knows", () => {
    const project = defineConfig({ tasks: [A, B] });
    expect(() => project.family("AllTask")).toThrow(
      'Unknown task "AllTask". Did you mean "AllTasks"?',
    );
    expect(() => project.family("alltasks")).toThrow('Did you mean "AllTasks"?');
    expect(() => project.family("Frobnicate")).toThrow(
      'Unknown task "Frobnicate". Known: AllTasks, Dump.',
    );
    expect(() => defineConfig({ tasks: [] }).family("X")).toThrow("Known: none.");
    expect(() => project.family("AllTask")).toThrow(UsageError);
  });
});

describe("resources", () => {
  const needs = (resources: Record<string, number>) =>
    defineTask({ name: "Load", resources }, () => {});

  test("have limits that the tasks' needs are checked against", () => {
    const project = defineConfig({
      tasks: [needs({ redshift: 2 })],
      resources: { redshift: 4, "source-postgres": 1 },
    });
    expect([...project.resources]).toEqual([
      ["redshift", 4],
      ["source-postgres", 1],
    ]);
    expect(project.family("Load").resources).toEqual([{ name: "redshift", units: 2 }]);
  });

  test("that no limit is known of are refused, with the nearest", () => {
    const tasks = [needs({ redshft: 1 })];
    expect(() => defineConfig({ tasks, resources: { redshift: 4 } })).toThrow(
      'Load needs the resource "redshft", and defineConfig gives it no limit. Did you mean "redshift"?',
    );
    expect(() => defineConfig({ tasks })).toThrow('Add it: resources: { "redshft": 1 }.');
  });

  test("of which a task needs more than there is are refused: it would wait for ever", () => {
    expect(() =>
      defineConfig({ tasks: [needs({ redshift: 5 })], resources: { redshift: 4 } }),
    ).toThrow("Load needs 5 of redshift, and its limit is 4: its tasks would wait for ever");
  });

  test.each([0, -1, 1.5, 10_001, Number.NaN])("are not counted as %d", (units) => {
    expect(() => needs({ redshift: units })).toThrow("Load: resources.redshift: expected a whole");
    expect(() => defineConfig({ tasks: [], resources: { redshift: units } })).toThrow(
      "defineConfig: resources.redshift: expected a whole number",
    );
  });

  test.each(["", "Redshift", "a b", "a:b", "1st"])("cannot be named %j", (name) => {
    expect(() => needs({ [name]: 1 })).toThrow("cannot be the name of a resource");
    expect(() => defineConfig({ tasks: [], resources: { [name]: 1 } })).toThrow(
      "cannot be the name of a resource",
    );
  });
});
