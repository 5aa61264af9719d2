/** CheckTable: what holds passes, what does not is named with some of its rows, in both dialects. */
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { Temporal } from "temporal-polyfill";
import { beforeAll, describe, expect, test } from "vitest";
import { s3Dataset } from "../../../src/targets/s3-dataset.ts";
import { CheckTable, checkTable } from "../../../src/tasks/check-table.ts";
import { countRows } from "../../../src/tasks/count-rows.ts";
import { RunSql } from "../../../src/tasks/run-sql.ts";
import { attempt, outputsOf } from "../data/data-stores.ts";
import { DIALECTS, freshPlace, type Place, runTask } from "./warehouses.ts";

const date = Temporal.PlainDate.from("2026-11-21");
const table = "shop.orders";

describe.each(DIALECTS)("%s", (dialect) => {
  let place: Place;

  beforeAll(async () => {
    place = await freshPlace(dialect);
    const setup = outputsOf(RunSql({ sql: "", table, date }), place.stores, { attempt: attempt() });
    await place.stores.warehouse.atomically(
      setup,
      "CREATE SCHEMA shop",
      "CREATE TABLE shop.orders (id integer, day date, note varchar(2000))",
      `INSERT INTO shop.orders VALUES (1, '2026-11-21', 'first'), (2, '2026-11-21', NULL),
         (2, '2026-11-20', '${"long ".repeat(100)}')`,
      "CREATE TABLE shop.copies (id integer, day date)",
      "INSERT INTO shop.copies VALUES (1, '2026-11-21'), (2, '2026-11-21')",
    );
  });

  const run = (args: Omit<Parameters<typeof CheckTable>[0], "table" | "date">) =>
    runTask(CheckTable({ table, date, ...args }), place.stores);

  test("what holds passes, and leaves a marker", async () => {
    const task = CheckTable({
      table,
      date,
      where: "day = '2026-11-21'",
      minRows: 2,
      maxRows: 2,
      sameRowsAs: "shop.copies",
      notNull: ["id", "day"],
      unique: [["id"], ["id", "day"]],
      noRows: ["SELECT * FROM shop.orders WHERE id < 0"],
    });
    await runTask(task, place.stores);
    expect(await outputsOf(task, place.stores).exists()).toBe(true);
  });

  test("each check that fails is named, with rows, all in one error", async () => {
    const failing = run({
      minRows: 5,
      notNull: ["note"],
      unique: [["id"]],
      noRows: ["SELECT id AS odd FROM shop.orders WHERE id % 2 = 1"],
    });
    await expect(failing).rejects.toMatchObject({
      code: "CHECK_FAILED",
      retryable: false,
      fields: { table, failed: ["minRows", "notNull", "unique", "noRows"] },
      message: expect.stringMatching(
        /^shop\.orders: 4 checks failed: minRows: 3 rows, at least 5 are expected; notNull: "note" is NULL \(1 row, for example \{id: 2, day: .*, note: null\}\); unique: \("id"\) is not a key \(1 row, for example \{id: 2, times: 2\}\); noRows: SELECT id AS odd .* gave rows \(1 row, for example \{odd: 1\}\)\. Correct/,
      ),
    });
  });

  test("values and rows in the error are cut", async () => {
    const error = await run({ noRows: ["SELECT * FROM shop.orders WHERE note LIKE 'long%'"] }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(String(error)).toContain("note: long long long long long long long long …}");
    expect(String(error).length).toBeLessThan(500);
    const many = `SELECT a.id FROM shop.orders a, shop.orders b, shop.orders c, shop.orders d, shop.orders e`;
    await expect(run({ noRows: [many] })).rejects.toThrow(
      /\(100 or more rows, for example (\{id: \d\} ?){3}\)/,
    );
  });

  test("too many rows, and other numbers than another table has", async () => {
    await expect(run({ maxRows: 2 })).rejects.toThrow("maxRows: 3 rows, at most 2 are expected");
    await expect(run({ sameRowsAs: "shop.copies" })).rejects.toThrow(
      "sameRowsAs: 3 rows, but shop.copies has 2",
    );
  });

  test("as many rows as a manifest promises", async () => {
    for (const [prefix, rows] of [
      ["sets/three/", 3],
      ["sets/four/", 4],
    ] as const) {
      const task = RunSql({ sql: prefix, table, date });
      const { signal } = new AbortController();
      const { stores } = place;
      const writer = s3Dataset(prefix).bind({ task, stores, signal, attempt: attempt() }).writer();
      const part = await writer.part("part.csv.gz", Readable.from([gzipSync("x\n".repeat(rows))]));
      await writer.commit({
        parts: [{ ...part, rows, rawBytes: 2 * rows }],
        columns: [{ name: "id", pgType: "text" }],
        format: { type: "csv", null: "@NULL@", compression: "gzip" },
        snapshot: "",
        started: new Date(),
      });
    }
    await run({ dataset: "sets/three/" });
    await expect(run({ dataset: "sets/four/" })).rejects.toThrow(
      /sameRowsAs: 3 rows, but the manifest of s3:\/\/.*\/sets\/four\/ promises 4/,
    );
    await expect(run({ dataset: "sets/none/" })).rejects.toMatchObject({ code: "DATASET_MISSING" });
  });

  test("a load that fails its check is not committed", async () => {
    const marker = outputsOf(RunSql({ sql: "load", table, date }), place.stores, {
      attempt: attempt(),
    });
    const load = () =>
      place.stores.warehouse.atomically(
        marker,
        "INSERT INTO shop.copies VALUES (2, '2026-11-22')",
        checkTable("shop.copies", { unique: [["id"]] }),
      );
    await expect(load()).rejects.toMatchObject({ code: "CHECK_FAILED" });
    expect(await countRows(place.stores.warehouse, "shop.copies")).toBe(2);
    expect(await marker.exists()).toBe(false);
  });

  test("a column or table that is not there is named", async () => {
    await expect(run({ notNull: ["nothing"] })).rejects.toThrow("nothing");
    const missing = CheckTable({ table: "shop.orderz", date, minRows: 1 });
    await expect(runTask(missing, place.stores)).rejects.toThrow("orderz");
  });
});

test("a check that checks nothing is refused", () => {
  expect(() => checkTable(table, {})).toThrow(
    "a check of shop.orders checks nothing: give minRows, maxRows, sameRowsAs, notNull, unique or noRows",
  );
  expect(() => checkTable(table, { unique: [[]] })).toThrow("at least one column");
  const both = CheckTable({ table, date, sameRowsAs: "a", dataset: "b/" });
  expect(() => both.outputs).toThrow("give sameRowsAs or dataset, not both");
});
