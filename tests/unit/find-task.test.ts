/** A task's name, as history keeps it, back to its task: only when the id says that it was read right. */
import { expect, test } from "vitest";
import { defineConfig } from "../../src/core/config.ts";
import { defineTask } from "../../src/core/define.ts";
import { p } from "../../src/core/params/p.ts";
import { taskOfName } from "../../src/queue/find-task.ts";

const Copy = defineTask(
  {
    name: "Copy",
    params: {
      table: p.text(),
      note: p.text().optional(),
      date: p.date(),
      why: p.text({ significant: false }).default("daily"),
    },
  },
  () => {},
);
const Plain = defineTask({ name: "Plain" }, () => {});
const Secretive = defineTask(
  { name: "Secretive", params: { key: p.text({ significant: false }) } },
  () => {},
);
const project = defineConfig({ tasks: [Copy, Plain, Secretive] });

test.each([
  ["orders", undefined],
  ["orders", "(x)\ny, z"],
  ["été", "$&"],
])("a name is read back: table %j, note %j", (table, note) => {
  const task = Copy.parse({ table, ...(note !== undefined && { note }), date: "2026-11-21" });
  const found = taskOfName(project, task.id, task.name);
  expect(found?.texts).toEqual(task.texts);
});

test("a value that looks like the next parameter gives no task, never another one", () => {
  const task = Copy.parse({ table: "orders", note: "a, date=2026-11-20", date: "2026-11-21" });
  expect(taskOfName(project, task.id, task.name)).toBeUndefined();
});

test("a task without parameters is found", () => {
  expect(taskOfName(project, Plain().id, Plain().name)?.id).toBe(Plain().id);
});

test("a name of another task, of no family, or without what is required, is none", () => {
  const task = Copy.parse({ table: "orders", date: "2026-11-21" });
  expect(taskOfName(project, task.id, "Copy(table=orders, date=2026-11-20)")).toBeUndefined();
  expect(taskOfName(project, task.id, "Gone(table=orders)")).toBeUndefined();
  const secretive = Secretive({ key: "k" });
  expect(taskOfName(project, secretive.id, secretive.name)).toBeUndefined();
});
