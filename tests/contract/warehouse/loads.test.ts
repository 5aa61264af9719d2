/** What every warehouse promises of loads: the rows that the manifest says, as the mode says, or none. */
import { gzipSync } from "node:zlib";
import { Temporal } from "temporal-polyfill";
import { beforeAll, describe, expect, test } from "vitest";
import { defineTask } from "../../../src/core/define.ts";
import { p } from "../../../src/core/params/p.ts";
import { requirementsOf, type Task } from "../../../src/core/task.ts";
import { tableMarker } from "../../../src/targets/table-marker.ts";
import { CopyIntoTableFromS3 } from "../../../src/tasks/copy-into-table-from-s3.ts";
import { CopyJsonIntoTable } from "../../../src/tasks/copy-json-into-table.ts";
import { TableCopyToS3 } from "../../../src/tasks/copy-table-to-s3.ts";
import { daySlice, LoadTable, loadTable } from "../../../src/tasks/load-table.ts";
import { UnloadTable } from "../../../src/tasks/unload-table.ts";
import { runTask as run } from "../../integration/data/data-stores.ts";
import { type OpenedWarehouse, WAREHOUSES } from "./warehouses.ts";

const date = Temporal.PlainDate.from("2026-11-21");

/** Loads a dump as `mode` says. */
const Load = defineTask(
  {
    name: "Load",
    params: {
      query: p.text(),
      into: p.table(),
      date: p.date(),
      mode: p.choice(["replace", "append", "slice", "key"]),
    },
    requires: ({ query, date }) => TableCopyToS3({ table: "x", query, date }),
    output: ({ into }) => tableMarker(into),
  },
  ({ params: { into, date, mode }, input, output, warehouse }) => {
    const slice = mode === "slice" ? daySlice("day", date) : undefined;
    const key = mode === "key" ? ["id"] : undefined;
    const step = loadTable(into, input, { append: mode === "append", slice, key });
    return warehouse.atomically(output, step);
  },
);

describe.each(WAREHOUSES)("on $name", ({ open }) => {
  let stores: OpenedWarehouse["stores"];
  let administer: OpenedWarehouse["administer"];

  beforeAll(async () => {
    ({ stores, administer } = await open());
  });

  /** The task with what it requires. */
  async function runTask(task: Task): Promise<unknown> {
    for (const requirement of requirementsOf(task)) await run(requirement, stores);
    return await run(task, stores);
  }

  const rows = (...values: readonly string[]): string =>
    `SELECT id, day, note FROM (VALUES ${values.join(", ")}) AS v (id, day, note)`;
  const row = (id: number, day: string, note: string) =>
    `(${id}, DATE '2026-11-${day}', '${note}'::text)`;
  const ids = async (table: string) =>
    (await stores.warehouse.query(`SELECT id, note FROM ${table} ORDER BY id, note`)).map(
      ({ id, note }) => `${String(id)} ${String(note)}`,
    );

  test("replace, append, replace a slice, replace by key", async () => {
    const load = (mode: "replace" | "append" | "slice" | "key", ...values: readonly string[]) =>
      runTask(Load({ query: rows(...values), into: "modes", date, mode }));
    await load("replace", row(1, "20", "a"), row(2, "21", "b"));
    expect(await ids("modes")).toEqual(["1 a", "2 b"]);
    await load("append", row(3, "21", "c"));
    expect(await ids("modes")).toEqual(["1 a", "2 b", "3 c"]);
    await load("slice", row(4, "21", "d"));
    expect(await ids("modes")).toEqual(["1 a", "4 d"]);
    await load("key", row(4, "22", "new"), row(5, "22", "e"));
    expect(await ids("modes")).toEqual(["1 a", "4 new", "5 e"]);
    await load("replace", row(9, "20", "z"));
    expect(await ids("modes")).toEqual(["9 z"]);
  });

  test("a load that ran is not run again", async () => {
    const task = Load({ query: rows(row(1, "20", "a")), into: "once", date, mode: "append" });
    await runTask(task);
    expect(await runTask(task)).toEqual({ rows: 0, already: true });
    expect(await ids("once")).toEqual(["1 a"]);
  });

  test("a key that comes twice, or is NULL: nothing is changed", async () => {
    const load = (...values: readonly string[]) =>
      runTask(Load({ query: rows(...values), into: "keyed", date, mode: "key" }));
    await load(row(1, "20", "a"));
    const wrong = load(
      row(1, "20", "b"),
      row(1, "20", "c"),
      `(NULL, DATE '2026-11-20', 'd'::text)`,
    );
    await expect(wrong).rejects.toMatchObject({ code: "KEY_NOT_UNIQUE", retryable: false });
    await expect(wrong).rejects.toThrow(
      '2 values of "id" come more than once in the files, or are NULL',
    );
    expect(await ids("keyed")).toEqual(["1 a"]);
  });

  test("rows outside of the slice are refused: they would be doubled the next time", async () => {
    const task = Load({ query: rows(row(1, "20", "a")), into: "sliced", date, mode: "slice" });
    await expect(runTask(task)).rejects.toMatchObject({ code: "ROWS_OUTSIDE_SLICE" });
    expect(await stores.warehouse.describe("sliced")).toBeUndefined();
  });

  test("columns of another order or name are refused before anything is sent", async () => {
    await administer("CREATE TABLE drifted (day date, id integer, note varchar(65535))");
    const task = Load({ query: rows(row(1, "20", "a")), into: "drifted", date, mode: "append" });
    await expect(runTask(task)).rejects.toThrow(
      'column 1 is "day" in the table and "id" in the dataset',
    );
  });

  test("two loads of one table at once: each replaces the whole", async () => {
    const values = Array.from({ length: 50 }, (_, n) => row(n, "20", "x"));
    const loads = ["2026-01-01", "2026-01-02"].map((day) =>
      Load({
        query: rows(...values),
        into: "shared",
        date: Temporal.PlainDate.from(day),
        mode: "replace",
      }),
    );
    await runTask(Load({ query: rows(row(0, "20", "y")), into: "shared", date, mode: "replace" }));
    await Promise.all(loads.map(runTask));
    expect(await ids("shared")).toHaveLength(50);
  });

  test("files of somebody else's: CSV in the table's columns, exactly those of the manifest", async () => {
    await administer("CREATE TABLE given (id integer, note varchar(100))");
    await stores.s3.put("given/a.gz", gzipSync('1,"a ""b"" ,\n"\n2,@NULL@\n3,""\n'));
    await stores.s3.put("given/b.gz", gzipSync("4,x\n"));
    await stores.s3.put("given/_SUCCESS", " ");
    const task = CopyIntoTableFromS3({ table: "given", prefix: "given/", date });
    expect(await runTask(task)).toEqual({ rows: 4 });
    expect(await stores.warehouse.query("SELECT id, note FROM given ORDER BY id")).toEqual([
      { id: 1, note: 'a "b" ,\n' },
      { id: 2, note: null },
      { id: 3, note: "" },
      { id: 4, note: "x" },
    ]);
  });

  test("JSON: a key that is missing is NULL, one that is no column is passed over", async () => {
    await administer("CREATE TABLE documents (id integer, note varchar(100), day date)");
    const lines = [
      '{"id": 1, "note": "it\'s \\"x\\" \\\\ é"}',
      '{"day": "2026-11-21", "id": 2, "other": [1]}',
    ];
    await stores.s3.put("documents/a.gz", gzipSync(`${lines.join("\n")}\n`));
    expect(
      await runTask(CopyJsonIntoTable({ table: "documents", prefix: "documents/", date })),
    ).toEqual({ rows: 2 });
    expect(
      await stores.warehouse.query(
        "SELECT id, note, CAST(day AS varchar(10)) AS day FROM documents ORDER BY id",
      ),
    ).toEqual([
      { id: 1, note: 'it\'s "x" \\ é', day: null },
      { id: 2, note: null, day: "2026-11-21" },
    ]);
  });

  test("an unload is a dataset that can be loaded", async () => {
    await runTask(
      Load({
        query: rows(row(1, "20", ""), row(2, "21", "b")),
        into: "unloaded",
        date,
        mode: "replace",
      }),
    );
    const Again = defineTask(
      {
        name: "Again",
        requires: () => UnloadTable({ table: "unloaded", date }),
        output: () => tableMarker("again"),
      },
      ({ input, output, warehouse }) => warehouse.atomically(output, loadTable("again", input)),
    );
    await runTask(Again());
    expect(await ids("again")).toEqual(["1 ", "2 b"]);
    const types = async (table: string) =>
      (await stores.warehouse.describe(table))?.map(({ pgType }) => pgType);
    expect(await types("again")).toEqual(await types("unloaded"));
  });

  test("LoadTable loads the dump of a table", async () => {
    const task = LoadTable({
      table: "x",
      query: rows(row(7, "21", "seven")),
      date,
      into: "by_table",
    });
    expect(await runTask(task)).toMatchObject({ rows: 1 });
    expect(await ids("by_table")).toEqual(["7 seven"]);
  });
});
