/** Each SQL family does its work, does it once, says what is wrong with what it is given, in both dialects. */
import { randomBytes } from "node:crypto";
import { Temporal } from "temporal-polyfill";
import { beforeAll, describe, expect, test } from "vitest";
import type { Step } from "../../../src/core/stores.ts";
import { missingOutputs } from "../../../src/core/target.ts";
import type { Task } from "../../../src/core/task.ts";
import { analyze, Analyze } from "../../../src/tasks/analyze.ts";
import { countRows } from "../../../src/tasks/count-rows.ts";
import { CreateTable, createTable } from "../../../src/tasks/create-table.ts";
import { DeleteTable, deleteTable } from "../../../src/tasks/delete-table.ts";
import { Grant } from "../../../src/tasks/grant.ts";
import { RenameTable, renameTable } from "../../../src/tasks/rename-table.ts";
import { RunSql } from "../../../src/tasks/run-sql.ts";
import { TruncateTable, truncateTable } from "../../../src/tasks/truncate-table.ts";
import { Vacuum, vacuum } from "../../../src/tasks/vacuum.ts";
import { attempt, outputsOf } from "../data/data-stores.ts";
import { IS_CLUSTER } from "../../support/redshift.ts";
import { DIALECTS, freshPlace, type Place, runTask } from "./warehouses.ts";

const date = Temporal.PlainDate.from("2026-11-21");
const next = date.add({ days: 1 });

describe.each(DIALECTS)("%s", (dialect) => {
  let place: Place;
  /** Looks at the Postgres behind, which a cluster has not. */
  const behind = dialect === "redshift" && IS_CLUSTER;

  beforeAll(async () => {
    place = await freshPlace(dialect);
    await atomically("CREATE SCHEMA shop");
  });

  const run = (task: Task) => runTask(task, place.stores);
  const count = (table: string) => countRows(place.stores.warehouse, table);
  const exists = async (table: string) =>
    (await place.stores.warehouse.describe(table)) !== undefined;
  const markerOf = () => {
    const task = RunSql({ sql: randomBytes(6).toString("hex"), table: "shop.any", date });
    return outputsOf(task, place.stores, { attempt: attempt() });
  };
  const atomically = (...steps: readonly Step[]) =>
    place.stores.warehouse.atomically(markerOf(), ...steps);
  const fails = async () => {
    throw new Error("fails");
  };

  async function filled(table: string): Promise<void> {
    await atomically(
      `CREATE TABLE ${table} (id integer, page varchar(20))`,
      `INSERT INTO ${table} VALUES (1, 'a'), (2, 'b')`,
    );
  }

  describe("CreateTable", () => {
    const columns = [
      { name: "id", type: "bigint", notNull: true },
      { name: "state", type: "varchar(10)", default: "'new'" },
    ];
    const redshift = { distKey: "id", sortKey: ["state"], encode: { state: "zstd" } };

    test("creates the schema and the table, with its defaults, keys and what Redshift has", async () => {
      const task = CreateTable({ table: "made.t", columns, date, primaryKey: ["id"], redshift });
      await run(task);
      await atomically("INSERT INTO made.t (id) VALUES (7)");
      expect(await place.stores.warehouse.query("SELECT id, state FROM made.t")).toEqual([
        { id: "7", state: "new" },
      ]);
      await expect(atomically("INSERT INTO made.t (state) VALUES ('x')")).rejects.toThrow("null");
      expect(
        await missingOutputs({ task, ...place, signal: new AbortController().signal }),
      ).toEqual([]);
    });

    test.runIf(dialect === "redshift")("lays the table out as Redshift is told", async () => {
      await run(CreateTable({ table: "laid_out", columns, date, redshift }));
      const layout = await place.stores.warehouse.query(
        `SELECT "column", encoding, distkey, sortkey FROM pg_table_def WHERE tablename = 'laid_out'`,
      );
      expect(layout).toEqual([
        expect.objectContaining({ column: "id", distkey: true, sortkey: 0 }),
        expect.objectContaining({ column: "state", encoding: "zstd", sortkey: 1 }),
      ]);
    });

    test("a table that is there stays, also on another day; with other columns it is refused", async () => {
      await run(CreateTable({ table: "shop.there", columns, date }));
      await atomically("INSERT INTO shop.there (id) VALUES (1)");
      await run(CreateTable({ table: "shop.there", columns, date: next }));
      expect(await count("shop.there")).toBe(1);
      const other = [{ name: "id", type: "bigint" }];
      await expect(
        run(CreateTable({ table: "shop.there", columns: other, date })),
      ).rejects.toMatchObject({
        code: "COLUMNS_DIFFER",
        message: expect.stringContaining("shop.there is there already, with other columns"),
      });
      await expect(
        run(CreateTable({ table: "shop.there", columns, date, ifNotExists: false })),
      ).rejects.toMatchObject({ code: "TABLE_EXISTS", retryable: false });
    });

    test("when a later step fails, there is no table", async () => {
      await expect(atomically(createTable({ table: "shop.half", columns }), fails)).rejects.toThrow(
        "fails",
      );
      expect(await exists("shop.half")).toBe(false);
    });
  });

  test("DeleteTable drops a table, and one that is not there is no error", async () => {
    await filled("shop.former");
    await run(DeleteTable({ table: "shop.former", date }));
    expect(await exists("shop.former")).toBe(false);
    await filled("shop.former");
    await run(DeleteTable({ table: "shop.former", date }));
    expect(await exists("shop.former"), "the task of one day runs once").toBe(true);
    await run(DeleteTable({ table: "shop.former", date: next }));
    await run(DeleteTable({ table: "shop.nothing", date }));
    expect(await exists("shop.former")).toBe(false);
  });

  test("DeleteTable leaves a table that a view needs, unless it cascades", async () => {
    await filled("shop.viewed");
    await atomically("CREATE VIEW shop.view AS SELECT id FROM shop.viewed");
    const task = DeleteTable({ table: "shop.viewed", date });
    await expect(run(task)).rejects.toThrow(/shop\.view|other objects depend/);
    expect(await count("shop.viewed")).toBe(2);
    await run(DeleteTable({ table: "shop.viewed", date, cascade: true }));
    expect(await exists("shop.viewed")).toBe(false);
  });

  test("TruncateTable empties a table, once a day", async () => {
    await filled("shop.filled");
    await run(TruncateTable({ table: "shop.filled", date }));
    expect(await count("shop.filled")).toBe(0);
    await atomically("INSERT INTO shop.filled VALUES (1, 'a')");
    await run(TruncateTable({ table: "shop.filled", date }));
    expect(await count("shop.filled")).toBe(1);
    await run(TruncateTable({ table: "shop.filled", date: next }));
    expect(await count("shop.filled")).toBe(0);
  });

  test("truncateTable in a transaction is undone when the transaction fails", async () => {
    await filled("shop.kept");
    await expect(atomically(truncateTable("shop.kept"), fails)).rejects.toThrow("fails");
    expect(await count("shop.kept")).toBe(2);
    expect(await atomically(truncateTable("shop.kept"))).toMatchObject({ rows: 2 });
    expect(await count("shop.kept")).toBe(0);
  });

  test("RenameTable renames within the schema, and never onto another table", async () => {
    await filled("shop.before");
    await filled("shop.taken");
    await expect(
      run(RenameTable({ table: "shop.before", to: "taken", date })),
    ).rejects.toMatchObject({
      code: "TABLE_EXISTS",
      message: expect.stringContaining("there is a table shop.taken already"),
    });
    await atomically(deleteTable("shop.taken"), renameTable("shop.before", "taken"));
    expect(await exists("shop.before")).toBe(false);
    const task = RenameTable({ table: "shop.taken", to: "after", date });
    await run(task);
    await run(task);
    expect(await count("shop.after")).toBe(2);
    await expect(run(RenameTable({ table: "shop.afte", to: "x", date }))).rejects.toThrow("afte");
  });

  test("RunSql runs several statements or none of them", async () => {
    await filled("shop.ledger");
    const sql = "INSERT INTO shop.ledger VALUES (3, 'c'); INSERT INTO shop.ledger VALUES (4, 'd')";
    const task = RunSql({ sql, table: "shop.ledger", date });
    expect(await run(task)).toEqual({ rows: 2 });
    expect(await run(task)).toEqual({ rows: 0 });
    expect(await count("shop.ledger")).toBe(4);
    const bad = "DELETE FROM shop.ledger; INSERT INTO shop.ledger VALUES ('no number', 'e')";
    await expect(run(RunSql({ sql: bad, table: "shop.ledger", date }))).rejects.toMatchObject({
      retryable: false,
      message: expect.stringContaining("no number"),
    });
    expect(await count("shop.ledger")).toBe(4);
  });

  test.skipIf(behind)(
    "Vacuum and Analyze see to a table; a transaction takes no VACUUM",
    async () => {
      await filled("shop.seen");
      await run(Vacuum({ table: "shop.seen", date, analyze: true }));
      await run(Vacuum({ table: "shop.seen", date, mode: "full" }));
      await filled("shop.statistics");
      const statistics = () =>
        place.admin(`SELECT attname FROM pg_stats WHERE tablename = 'statistics' ORDER BY 1`);
      expect(await statistics()).toEqual([]);
      await run(Analyze({ table: "shop.statistics", date }));
      expect(await statistics()).toEqual([{ attname: "id" }, { attname: "page" }]);
      await atomically(analyze("shop.statistics", ["id"]));
      await expect(atomically(vacuum("shop.seen"))).rejects.toMatchObject({
        code: "VACUUM_IN_TRANSACTION",
        message: expect.stringContaining("warehouse.serially()"),
      });
      await expect(run(Analyze({ table: "shop.nowhere", date }))).rejects.toThrow("nowhere");
    },
  );

  test.runIf(dialect === "postgres")("Vacuum names the modes that only Redshift has", async () => {
    const task = Vacuum({ table: "shop.any", date, mode: "sort only" });
    await expect(run(task)).rejects.toThrow('only Redshift knows the mode "sort only"');
  });

  test.skipIf(behind)(
    "Grant grants to users, groups and everybody; what is unknown is named",
    async () => {
      await filled("shop.granted");
      const [reader, group] = ["reader", "group"].map(
        (name) => `${name}_${randomBytes(4).toString("hex")}`,
      );
      await place.admin(`CREATE ROLE ${reader}; CREATE ROLE ${group}`);
      try {
        const to = [
          { kind: "user", name: reader ?? "" },
          { kind: "group", name: group ?? "" },
        ] as const;
        const task = Grant({ privileges: ["select"], to, table: "shop.granted", date });
        await run(task);
        const [granted] = await place.admin(
          `SELECT has_table_privilege('${reader}', 'shop.granted', 'SELECT') AS a,
                has_table_privilege('${group}', 'shop.granted', 'SELECT') AS b,
                has_table_privilege('${group}', 'shop.granted', 'INSERT') AS c`,
        );
        expect(granted).toEqual({ a: true, b: true, c: false });
        expect(task.name).toContain(`["user:${reader}", "group:${group}"]`);
      } finally {
        await place.admin(`DROP OWNED BY ${reader}, ${group}; DROP ROLE ${reader}, ${group}`);
      }
      const nobody = Grant.parse({
        privileges: '["select"]',
        to: '["nobody_here"]',
        table: "shop.granted",
        date: "2026-11-21",
      });
      await expect(run(nobody)).rejects.toThrow("nobody_here");
    },
  );
});
