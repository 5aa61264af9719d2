import { Temporal } from "temporal-polyfill";
import { describe, expect, test } from "vitest";
import { defineExternal, defineTask, defineWrapper } from "../../../src/core/define.ts";
import { PermanentError, UsageError } from "../../../src/core/errors.ts";
import { p } from "../../../src/core/params/p.ts";
import { isFamily, isTask, requirementsOf, type Task } from "../../../src/core/task.ts";
import { taskId } from "../../../src/core/task-id.ts";

const Dump = defineTask(
  {
    name: "Dump",
    params: {
      table: p.text(),
      date: p.date(),
      reason: p.text({ significant: false }).default("daily"),
    },
  },
  () => {},
);
const day = Temporal.PlainDate.from("2026-11-21");

describe("a family", () => {
  test.each(["", "1st", "my-task", "a:b", "a b", "été", "_x", "wait:active"])(
    "cannot be named %j",
    (name) => {
      expect(() => defineTask({ name }, () => {})).toThrow(
        `${JSON.stringify(name)} cannot be the name of a family`,
      );
    },
  );

  test("may be named with letters, digits, underscores and dots", () => {
    expect(defineTask({ name: "shop.Dump_2" }, () => {}).name).toBe("shop.Dump_2");
  });

  test.each(["schedule", "sluice", "Copy", "a:b", "", "9"])("cannot use the queue %j", (queue) => {
    expect(() => defineTask({ name: "A", queue }, () => {})).toThrow(
      `A: queue: ${JSON.stringify(queue)} cannot be the name of a queue`,
    );
  });

  test.each([-1001, 1.5, 1001, Number.NaN])("cannot have the priority %d", (priority) => {
    expect(() => defineTask({ name: "A", priority }, () => {})).toThrow("A: priority: expected");
  });

  test.each([0, -1, 2.5])("cannot have %d attempts", (attempts) => {
    expect(() => defineTask({ name: "A", retry: { attempts } }, () => {})).toThrow(
      "A: retry.attempts: expected a whole number of at least 1",
    );
  });

  test.each(["0s", "25d"])("cannot have the timeout %s", (timeout) => {
    expect(() => defineTask({ name: "A", timeout }, () => {})).toThrow(
      'A: timeout: expected a duration from "1ms" to "24d"',
    );
  });

  test("has a timeout in milliseconds, and none unless it says so", () => {
    expect(defineTask({ name: "A", timeout: "2h" }, () => {}).timeout).toBe(7_200_000);
    expect(Dump.timeout).toBeUndefined();
  });

  test("has 3 attempts, 5s to 5m apart, on the queue default, unless it says otherwise", () => {
    const { queue, priority, retry } = Dump;
    expect({ queue, priority, retry }).toEqual({
      queue: "default",
      priority: 0,
      retry: { attempts: 3, backoff: { first: 5_000, last: 300_000 } },
    });
  });

  test("is frozen and told apart from other functions", () => {
    expect(Object.isFrozen(Dump)).toBe(true);
    expect([isFamily(Dump), isFamily(() => {}), isFamily(Dump({ table: "a", date: day }))]).toEqual(
      [true, false, false],
    );
  });

  test("without parameters is called with nothing", () => {
    const All = defineWrapper({ name: "All", requires: () => [] });
    expect([All().id, All({}).id]).toEqual([All().id, taskId("All", {})]);
    expect(All().name).toBe("All()");
  });
});

describe("a task", () => {
  const task = Dump({ table: "orders", date: day });

  test("has Luigi's id of its significant texts", () => {
    expect(task.id).toBe(taskId("Dump", { table: "orders", date: "2026-11-21" }));
    expect(task.name).toBe("Dump(table=orders, date=2026-11-21)");
    expect({ ...task.texts }).toEqual({ table: "orders", date: "2026-11-21", reason: "daily" });
  });

  test("is equal to another by id, whatever its insignificant parameters", () => {
    expect(Dump({ table: "orders", date: day, reason: "by hand" }).id).toBe(task.id);
    expect(Dump({ table: "items", date: day }).id).not.toBe(task.id);
  });

  test("is frozen, with its parameters", () => {
    expect(Object.isFrozen(task)).toBe(true);
    expect(Object.isFrozen(task.params)).toBe(true);
    expect(() => Object.assign(task, { id: "other" })).toThrow("read only");
  });

  test("is never thenable: awaiting it by mistake gives the task", async () => {
    // oxlint-disable-next-line typescript/await-thenable -- the mistake that is tested
    expect(await task).toBe(task);
    expect("then" in task).toBe(false);
  });

  test("comes back from its own texts", () => {
    expect(Dump.parse(task.texts).id).toBe(task.id);
    expect(isTask(Dump.parse(task.texts))).toBe(true);
    expect(isTask(Object.assign({}, task))).toBe(false);
  });

  test("says which parameter is missing, unknown or wrong", () => {
    expect(() => Dump.parse({ table: "orders" })).toThrow(
      'Dump: parameter "date" is missing. It is a date (YYYY-MM-DD).',
    );
    expect(() => Dump.parse({ table: "orders", dat: "2026-11-21" })).toThrow(
      'Dump has no parameter "dat". Did you mean "date"?',
    );
    expect(() => Dump.parse({ table: "orders", date: "yesterday" })).toThrow(
      'Dump: expected date to be YYYY-MM-DD, got "yesterday"',
    );
    expect(() => Dump.parse({ table: "orders", date: "yesterday" })).toThrow(UsageError);
  });
});

describe("what requires() gives", () => {
  const leaf = (table: string) => Dump({ table, date: day });
  const names = (requires: () => unknown) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what JavaScript can do
    const Root = defineWrapper({ name: "Root", requires: requires as () => undefined });
    return requirementsOf(Root()).map(({ params }) => params["table"]);
  };

  test("may be nested in arrays and objects, in written order, each task once", () => {
    expect(
      names(() => ({
        b: [leaf("1"), [leaf("2"), undefined]],
        a: leaf("3"),
        again: leaf("1"),
        none: undefined,
      })),
    ).toEqual(["1", "2", "3"]);
  });

  test("may be 200,000 tasks wide", () => {
    const wide = Array.from<Task>({ length: 200_000 }).fill(leaf("1"));
    expect(names(() => wide)).toEqual(["1"]);
  });

  test("that is a family is an error that says to call it", () => {
    expect(() => names(() => [Dump])).toThrow(
      "Root(): requires() gave the family Dump instead of one of its tasks: call it with its parameters",
    );
  });

  test.each([
    ["a promise", async () => [leaf("1")]],
    ["string", () => ["Dump"]],
    ["object", () => [null]],
    ["object", () => new Map()],
  ])("that is %s is an error, never no requirement", (what, requires) => {
    expect(() => names(requires)).toThrow(
      `Root(): requires() gave ${what}, which is no task: give tasks, in arrays or objects if there are several`,
    );
  });

  test("cannot throw without the task being named", () => {
    const broken = () => {
      throw new Error("no such country");
    };
    expect(() => names(broken)).toThrow(PermanentError);
    expect(() => names(broken)).toThrow(
      "Root(): requires() threw: no such country. It must be a pure function of the parameters.",
    );
  });
});

test("output() gets the values, and what it throws names the task", () => {
  const Feed = defineExternal({
    name: "Feed",
    params: { date: p.date() },
    output: ({ date }) => {
      if (date.year < 2000) throw new Error("too early");
      const location = date.add({ days: 7 }).toString();
      return { kind: "flag", bind: () => ({ location, exists: async () => false }) };
    },
  });
  expect(Feed({ date: day }).outputs.bind().location).toBe("2026-11-28");
  expect(() => Feed.parse({ date: "1999-12-31" }).outputs).toThrow(
    "Feed(date=1999-12-31): output() threw: too early. It must be a pure function of the parameters.",
  );
});
