/** Families that are nothing but SQL. In the order in which they run: the last ones rename and drop. */
import { Temporal } from "temporal-polyfill";
import { Analyze } from "../../../src/tasks/analyze.ts";
import { CheckTable } from "../../../src/tasks/check-table.ts";
import { CreateTable } from "../../../src/tasks/create-table.ts";
import { DeleteTable } from "../../../src/tasks/delete-table.ts";
import { Grant } from "../../../src/tasks/grant.ts";
import { KillOpenSessions } from "../../../src/tasks/kill-open-sessions.ts";
import { RenameTable } from "../../../src/tasks/rename-table.ts";
import { RunSql } from "../../../src/tasks/run-sql.ts";
import { TruncateTable } from "../../../src/tasks/truncate-table.ts";
import { Vacuum } from "../../../src/tasks/vacuum.ts";
import { both, type Case } from "./case.ts";

const date = Temporal.PlainDate.from("2026-11-21");
const table = "shop.visits";

const OWN = "SELECT pg_backend_pid() AS own";
const ROWS = `SELECT count(*) AS found FROM "shop"."visits"`;

export const SQL: readonly Case[] = [
  {
    task: CreateTable({
      table: "new.Orders",
      date,
      columns: [
        { name: "id", type: "bigint", notNull: true },
        { name: "state", type: "varchar", default: "'new'" },
        { name: "amount", type: "numeric(10,2)", notNull: true, default: "0" },
      ],
      primaryKey: ["id"],
      redshift: { distKey: "id", sortKey: ["state", "id"], encode: { id: "az64", state: "zstd" } },
    }),
    sends: {
      postgres: [
        'CREATE SCHEMA IF NOT EXISTS "new"',
        `CREATE TABLE IF NOT EXISTS "new"."Orders" ("id" bigint NOT NULL, "state" varchar DEFAULT 'new', "amount" numeric(10,2) DEFAULT 0 NOT NULL, PRIMARY KEY ("id"))`,
      ],
      redshift: [
        'CREATE SCHEMA IF NOT EXISTS "new"',
        `CREATE TABLE IF NOT EXISTS "new"."Orders" ("id" bigint ENCODE AZ64 NOT NULL, "state" VARCHAR(65535) DEFAULT 'new' ENCODE ZSTD, "amount" numeric(10,2) DEFAULT 0 NOT NULL, PRIMARY KEY ("id")) DISTSTYLE KEY DISTKEY ("id") SORTKEY ("state", "id")`,
      ],
    },
  },
  {
    task: CreateTable({
      table: "plain",
      date,
      columns: [{ name: "day", type: "date" }],
      ifNotExists: false,
      redshift: { distStyle: "all" },
    }),
    sends: {
      postgres: ['CREATE TABLE "plain" ("day" date)'],
      redshift: ['CREATE TABLE "plain" ("day" date) DISTSTYLE ALL'],
    },
  },
  {
    task: RunSql({ sql: `INSERT INTO shop.visits VALUES (3, 'it''s')`, table, date }),
    sends: both(`INSERT INTO shop.visits VALUES (3, 'it''s')`),
  },
  {
    task: Analyze({ table, date, columns: ["id", "page"] }),
    sends: both('ANALYZE "shop"."visits" ("id", "page")'),
  },
  {
    around: "serial",
    task: Vacuum({ table, date, mode: "full", analyze: true }),
    sends: {
      postgres: ['VACUUM (FULL, ANALYZE) "shop"."visits"'],
      redshift: ['VACUUM FULL "shop"."visits"', 'ANALYZE "shop"."visits"'],
    },
  },
  { around: "serial", task: Vacuum({ table, date }), sends: both('VACUUM "shop"."visits"') },
  {
    task: Grant({ privileges: ["select", "insert"], to: [{ kind: "public" }], table, date }),
    sends: both('GRANT SELECT, INSERT ON TABLE "shop"."visits" TO PUBLIC'),
  },
  {
    task: Grant({ privileges: ["usage"], to: [{ kind: "public" }], schema: "shop", date }),
    about: "shop",
    sends: both('GRANT USAGE ON SCHEMA "shop" TO PUBLIC'),
  },
  {
    task: Grant({ privileges: ["all"], to: [{ kind: "public" }], tablesIn: "shop", date }),
    about: "shop",
    sends: both('GRANT ALL ON ALL TABLES IN SCHEMA "shop" TO PUBLIC'),
  },
  {
    task: CheckTable({
      table,
      date,
      where: "id > 0 -- all",
      minRows: 1,
      sameRowsAs: "shop.visits",
      notNull: ["id"],
      unique: [["id"], ["id", "page"]],
      noRows: ["SELECT * FROM shop.visits WHERE id < 0;"],
    }),
    sends: both(
      `SELECT (SELECT count(*) FROM "shop"."visits" WHERE (id > 0 -- all\n)) AS found, (SELECT count(*) FROM "shop"."visits" WHERE (id > 0 -- all\n)) AS others`,
      `SELECT * FROM "shop"."visits" WHERE "id" IS NULL AND (id > 0 -- all\n) LIMIT 100`,
      `SELECT "id", count(*) AS times FROM "shop"."visits" WHERE (id > 0 -- all\n) GROUP BY "id" HAVING count(*) > 1 LIMIT 100`,
      `SELECT "id", "page", count(*) AS times FROM "shop"."visits" WHERE (id > 0 -- all\n) GROUP BY "id", "page" HAVING count(*) > 1 LIMIT 100`,
      "SELECT * FROM (\nSELECT * FROM shop.visits WHERE id < 0\n) AS query LIMIT 100",
    ),
  },
  { task: CheckTable({ table, date, maxRows: 9 }), sends: both(ROWS) },
  { around: "serial", task: KillOpenSessions({ table, date }), sends: both(OWN) },
  { around: "serial", task: KillOpenSessions({ table, date, user: "Nobody" }), sends: both(OWN) },
  {
    around: "serial",
    task: KillOpenSessions({ table, date, label: "no such task" }),
    sends: both(OWN),
  },
  {
    around: "serial",
    task: TruncateTable({ table, date }),
    sends: both('TRUNCATE TABLE "shop"."visits"'),
  },
  {
    task: RenameTable({ table, to: "Seen", date }),
    sends: both('ALTER TABLE "shop"."visits" RENAME TO "Seen"'),
  },
  {
    task: DeleteTable({ table: "shop.Seen", date, cascade: true }),
    sends: both('DROP TABLE IF EXISTS "shop"."Seen" CASCADE'),
  },
  { task: DeleteTable({ table: "gone", date }), sends: both('DROP TABLE IF EXISTS "gone"') },
];
