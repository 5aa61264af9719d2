/** What every warehouse promises: a transaction and its marker happen together, once, or not at all. */
import { setTimeout as sleep } from "node:timers/promises";
import { Temporal } from "temporal-polyfill";
import { beforeAll, describe, expect, test } from "vitest";
import type { Marker, Step } from "../../../src/core/stores.ts";
import { countRows } from "../../../src/tasks/count-rows.ts";
import {
  CreateTableFromSelectQuery,
  replaceFromSelect,
} from "../../../src/tasks/replace-from-select.ts";
import { InsertIntoTable } from "../../../src/tasks/insert-into-table.ts";
import { runTask } from "../../integration/data/data-stores.ts";
import { Barrier } from "../../support/barrier.ts";
import { type OpenedWarehouse, WAREHOUSES } from "./warehouses.ts";

describe.each(WAREHOUSES)("on $name", ({ dialect, open }) => {
  let stores: OpenedWarehouse["stores"];
  let administer: OpenedWarehouse["administer"];

  beforeAll(async () => {
    ({ stores, administer } = await open());
    await administer("CREATE TABLE log (entry varchar(100))");
  });

  let markers = 0;

  function marker(change: Partial<Marker> = {}): Marker {
    return {
      updateId: `Task_${++markers}`,
      table: "log",
      signal: new AbortController().signal,
      confirmLease: async () => {},
      ...change,
    };
  }

  const entries = async (): Promise<unknown[]> =>
    (await stores.warehouse.query("SELECT entry FROM log ORDER BY 1")).map((row) => row["entry"]);

  test("steps run in order, in one transaction; their rows add up", async () => {
    const seen: unknown[] = [];
    const look: Step = async (transaction) => {
      seen.push(await entries());
      return await transaction.execute("UPDATE log SET entry = entry || '!'");
    };
    const own = marker();
    const committed = await stores.warehouse.atomically(
      own,
      "INSERT INTO log VALUES ('a'), ('b')",
      look,
    );
    expect(committed).toEqual({ rows: 4, already: false });
    expect(seen).toEqual([[]]);
    expect(await entries()).toEqual(["a!", "b!"]);
    expect(await stores.warehouse.hasMarker(own.updateId)).toBe(true);
    const [row] = await stores.warehouse.query(
      `SELECT target_table, inserted IS NOT NULL AS dated FROM table_updates WHERE update_id = '${own.updateId}'`,
    );
    expect(row).toEqual({ target_table: "log", dated: true });
  });

  test("a marker that is there: nothing runs", async () => {
    const own = marker();
    await stores.warehouse.atomically(own, "INSERT INTO log VALUES ('once')");
    const never: Step = async () => {
      throw new Error("it ran");
    };
    expect(await stores.warehouse.atomically(own, never)).toEqual({ rows: 0, already: true });
  });

  test("a step that fails undoes the others, and leaves no marker", async () => {
    const before = await entries();
    const own = marker();
    const work = stores.warehouse.atomically(
      own,
      "INSERT INTO log VALUES ('gone')",
      "SELECT 1 / 0",
    );
    await expect(work).rejects.toMatchObject({ code: "BAD_DATA" });
    expect(await entries()).toEqual(before);
    expect(await stores.warehouse.hasMarker(own.updateId)).toBe(false);
  });

  test("the lease is confirmed after the steps; without it nothing is committed", async () => {
    const before = await entries();
    const order: string[] = [];
    const own = marker({
      confirmLease: async () => {
        order.push("lease");
        throw new Error("lease lost");
      },
    });
    const step: Step = async (transaction) => {
      order.push("step");
      return await transaction.execute("INSERT INTO log VALUES ('gone')");
    };
    await expect(stores.warehouse.atomically(own, step)).rejects.toThrow("lease lost");
    expect(order).toEqual(["step", "lease"]);
    expect(await entries()).toEqual(before);
  });

  test("a transaction that loses to another is run again as a whole", async () => {
    await administer("CREATE TABLE two AS SELECT 1 AS id, 0 AS hits UNION ALL SELECT 2, 0");
    let runs = 0;
    const touch =
      (first: number, second: number): Step =>
      async (transaction) => {
        runs++;
        await transaction.execute(`UPDATE two SET hits = hits + 1 WHERE id = ${first}`);
        await sleep(200);
        return await transaction.execute(`UPDATE two SET hits = hits + 1 WHERE id = ${second}`);
      };
    await Promise.all([
      stores.warehouse.atomically(marker(), touch(1, 2)),
      stores.warehouse.atomically(marker(), touch(2, 1)),
    ]);
    expect(runs).toBeGreaterThan(2);
    expect(await stores.warehouse.query("SELECT hits FROM two")).toEqual([
      { hits: 2 },
      { hits: 2 },
    ]);
  });

  test("of two attempts that are both about to commit, one does", async () => {
    const own = marker();
    const [first, second] = [new Barrier(), new Barrier()];
    const add =
      (arrived: Barrier, awaited: Barrier): Step =>
      async (transaction) => {
        const rows = await transaction.execute("INSERT INTO log VALUES ('both')");
        arrived.open();
        await awaited.opened;
        return rows;
      };
    const one = stores.warehouse.atomically(own, add(first, second));
    // It is between two statements, so the other one has nothing to end.
    await first.opened;
    const other = stores.warehouse.atomically(own, add(second, first));
    const results = await Promise.all([one, other]);
    expect(new Set(results.map(({ already }) => already))).toEqual(new Set([false, true]));
    expect((await entries()).filter((entry) => entry === "both")).toHaveLength(1);
    const found = await administer(
      `SELECT update_id FROM table_updates WHERE update_id = '${own.updateId}'`,
    );
    expect(found).toHaveLength(1);
    await administer("DELETE FROM log WHERE entry = 'both'");
  });

  test("serially: each statement commits on its own, the marker comes last", async () => {
    const own = marker();
    const seen: unknown[] = [];
    const look: Step = async () => {
      seen.push(
        (await entries()).includes("serial"),
        await stores.warehouse.hasMarker(own.updateId),
      );
      return 0;
    };
    const committed = await stores.warehouse.serially(
      own,
      "INSERT INTO log VALUES ('serial')",
      look,
      "TRUNCATE TABLE log",
    );
    expect(committed).toEqual({ rows: 1, already: false });
    expect(seen).toEqual([true, false]);
    expect(await entries()).toEqual([]);
    expect(await stores.warehouse.serially(own, "SELECT 1 / 0")).toEqual({
      rows: 0,
      already: true,
    });
  });

  test("serially: what fails leaves what was done, and no marker", async () => {
    const own = marker();
    const work = stores.warehouse.serially(own, "INSERT INTO log VALUES ('kept')", "SELECT 1 / 0");
    await expect(work).rejects.toMatchObject({ code: "BAD_DATA" });
    expect(await entries()).toContain("kept");
    expect(await stores.warehouse.hasMarker(own.updateId)).toBe(false);
  });

  test("SQL that ends its transaction is refused", async () => {
    await expect(
      stores.warehouse.atomically(marker(), "INSERT INTO log VALUES ('no')", "COMMIT"),
    ).rejects.toMatchObject({ code: "TRANSACTION_ENDED" });
  });

  test("printing runs nothing", async () => {
    const own = marker();
    const before = await entries();
    const statements = await stores.warehouse.atomicallyStatements(
      own,
      "INSERT INTO log VALUES ('no')",
    );
    expect(statements).toContain("INSERT INTO log VALUES ('no')");
    expect(statements.at(-1)).toBe("COMMIT");
    expect(await entries()).toEqual(before);
    expect(await stores.warehouse.hasMarker(own.updateId)).toBe(false);
  });

  test("a table built from a SELECT is created, then replaced; its grants stay", async () => {
    const rows = (count: number) =>
      Array.from(
        { length: count },
        (_, n) => `SELECT ${n} AS "Id", 'x' AS words, CURRENT_DATE AS at`,
      );
    const build = (count: number) =>
      stores.warehouse.atomically(
        marker(),
        replaceFromSelect("mart.Built", rows(count).join(" UNION ALL ")),
      );
    expect(await build(3)).toEqual({ rows: 3, already: false });
    await administer('CREATE VIEW mart.seen AS SELECT * FROM mart."Built"');
    await administer('GRANT SELECT ON mart."Built" TO PUBLIC');
    expect(await build(5)).toEqual({ rows: 5, already: false });
    expect(await countRows(stores.warehouse, "mart.seen")).toBe(5);
    const exact = dialect === "redshift" ? "built" : "Built";
    const [grants] = await administer(
      `SELECT has_table_privilege('public', 'mart."${exact}"', 'SELECT') AS granted`,
    );
    expect(grants).toEqual({ granted: true });
    expect((await stores.warehouse.describe("mart.Built"))?.map(({ pgType }) => pgType)).toEqual([
      "integer",
      dialect === "redshift" ? "character varying(65535)" : "text",
      "date",
    ]);
  });

  test("swap puts a new table in the old one's place; serial drops it first", async () => {
    const date = Temporal.PlainDate.from("2026-11-21");
    const build = (how: "swap" | "serial", query: string) =>
      runTask(CreateTableFromSelectQuery({ table: "mart.swapped", query, date, how }), stores);
    expect(await build("swap", "SELECT 1 AS a")).toEqual({ rows: 1 });
    expect(await build("swap", "SELECT 1 AS b UNION ALL SELECT 2")).toEqual({ rows: 2 });
    expect(await stores.warehouse.query("SELECT b FROM mart.swapped ORDER BY b")).toHaveLength(2);
    expect(await build("serial", "SELECT 7 AS c")).toEqual({ rows: 1 });
    expect(await stores.warehouse.query("SELECT c FROM mart.swapped")).toEqual([{ c: 7 }]);
  });

  test("InsertIntoTable adds, once a task", async () => {
    const date = Temporal.PlainDate.from("2026-11-21");
    await administer("CREATE TABLE added (a integer, b integer DEFAULT 5)");
    const task = InsertIntoTable({
      table: "added",
      query: "SELECT 1 AS a UNION ALL SELECT 2",
      date,
    });
    expect(await runTask(task, stores)).toEqual({ rows: 2 });
    expect(await runTask(task, stores)).toEqual({ rows: 0 });
    expect(await stores.warehouse.query("SELECT a, b FROM added ORDER BY a")).toEqual([
      { a: 1, b: 5 },
      { a: 2, b: 5 },
    ]);
    await expect(
      runTask(InsertIntoTable({ table: "added", query: "SELECT 1 AS z", date }), stores),
    ).rejects.toThrow('added has no column "z"');
  });

  test("columns that drift are named, in any order they are accepted", async () => {
    const replace = (select: string) =>
      stores.warehouse.atomically(marker(), replaceFromSelect("drift", select));
    await replace("SELECT 1 AS a, 2 AS b");
    expect(await replace("SELECT 4 AS b, 3 AS a")).toMatchObject({ rows: 1 });
    expect(await stores.warehouse.query("SELECT a, b FROM drift")).toEqual([{ a: 3, b: 4 }]);
    await expect(replace("SELECT 1 AS a, 2 AS c")).rejects.toThrow(
      'Only in the table: "b"; only in the SELECT: "c"',
    );
    expect(await countRows(stores.warehouse, "drift")).toBe(1);
  });

  test("CreateTableFromSelectQuery runs again on another day and on the same day does nothing", async () => {
    const date = Temporal.PlainDate.from("2026-11-21");
    const task = CreateTableFromSelectQuery({ table: "daily", query: "SELECT 1 AS a", date });
    expect(await runTask(task, stores)).toEqual({ rows: 1 });
    const first = await stores.warehouse.query("SELECT a FROM daily");
    expect(await runTask(task, stores)).toEqual({ rows: 0 });
    expect(await stores.warehouse.query("SELECT a FROM daily")).toEqual(first);
  });

  test("an unknown table is undefined to describe, an error with the nearest name to SQL", async () => {
    expect(await stores.warehouse.describe("nothing")).toBeUndefined();
    await expect(stores.warehouse.query("SELECT * FROM lgo")).rejects.toThrow(
      'Did you mean "log"?',
    );
  });
});
