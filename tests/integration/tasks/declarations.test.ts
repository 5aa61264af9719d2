/** What the families refuse when a task is planned. They need no service. */
import { Temporal } from "temporal-polyfill";
import { expect, test } from "vitest";
import type { Task } from "../../../src/core/task.ts";
import { CreateTable } from "../../../src/tasks/create-table.ts";
import { Grant } from "../../../src/tasks/grant.ts";
import { KillOpenSessions } from "../../../src/tasks/kill-open-sessions.ts";

const date = Temporal.PlainDate.from("2026-11-21");

test("what a declaration lacks is said when the task is planned, not when it runs", () => {
  const columns = [{ name: "id", type: "bigint" }];
  const table = "shop.t";
  const refusals: readonly (readonly [Task, string])[] = [
    [CreateTable({ table, columns: [], date }), "table shop.t: it has no columns"],
    [
      CreateTable({ table, columns: [...columns, { name: "ID", type: "int" }], date }),
      'two columns "ID"',
    ],
    [CreateTable({ table, columns, date, primaryKey: ["uid"] }), 'primaryKey names "uid"'],
    [CreateTable({ table, columns, date, redshift: { distKey: "x" } }), 'distKey names "x"'],
    [CreateTable({ table, columns, date, redshift: { sortKey: ["y"] } }), 'sortKey names "y"'],
    [
      CreateTable({ table, columns, date, redshift: { encode: { z: "zstd" } } }),
      'encode names "z"',
    ],
    [CreateTable({ table, columns, date, redshift: { distStyle: "key" } }), "needs a distKey"],
    [
      CreateTable({ table, columns, date, redshift: { distStyle: "all", distKey: "id" } }),
      "leave one",
    ],
    [
      CreateTable({ table, columns: [{ name: "id", type: "int); DROP TABLE t" }], date }),
      "is no type",
    ],
    [CreateTable({ table, columns, date, redshift: { encode: { id: "a b" } } }), "is no encoding"],
    [
      Grant({ privileges: ["select"], to: [{ kind: "public" }], date }),
      "exactly one of table, schema",
    ],
    [
      Grant({ privileges: ["select"], to: [{ kind: "public" }], table, schema: "s", date }),
      "table and schema",
    ],
    [KillOpenSessions({ table, user: "a", label: "b", date }), "user or label, not both"],
  ];
  for (const [task, message] of refusals) {
    expect(() => task.outputs).toThrow(message);
  }
  expect(() =>
    CreateTable.parse({ table, columns: '[{"name": "id"}]', date: "2026-11-21" }),
  ).toThrow('CreateTable: expected columns to be a JSON list with members of the form {"name"');
  const texts = { privileges: '["select"]', table, date: "2026-11-21" };
  expect(() => Grant.parse({ ...texts, to: '["team:x"]' })).toThrow('"public", or a name');
  expect(Grant.parse({ ...texts, to: '["ada", "role:r", "public"]' }).params["to"]).toEqual([
    { kind: "user", name: "ada" },
    { kind: "role", name: "r" },
    { kind: "public" },
  ]);
});

test("one definition is one task, however its keys are ordered", () => {
  const table = "shop.t";
  const one = CreateTable({ table, date, columns: [{ name: "id", type: "int", notNull: true }] });
  const two = CreateTable({
    table,
    date,
    columns: [{ notNull: true, type: "int", default: undefined, name: "id" }],
  });
  expect(two.id).toBe(one.id);
});
