/** Whole statements of every SQL family, in both dialects: what is printed is what is sent, to the letter. */
import { Temporal } from "temporal-polyfill";
import { beforeAll, describe, expect, test } from "vitest";
import type { Dialect } from "../../../src/core/stores.ts";
import type { Task } from "../../../src/core/task.ts";
import { sessionLabel } from "../../../src/stores/postgres/address.ts";
import type { OpenedStores } from "../../../src/stores/open-stores.ts";
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
import { proxied } from "../../support/proxied.ts";
import type { TcpProxy } from "../../support/tcp-proxy.ts";
import { attempt, opened, outputsOf } from "../data/data-stores.ts";
import { DIALECTS, freshPlace, type Place, printed, runTask } from "./warehouses.ts";

const date = Temporal.PlainDate.from("2026-11-21");
const table = "shop.visits";

interface Case {
  readonly task: Task;
  /** Between the beginning and the marker. */
  readonly sends: Readonly<Record<Dialect, readonly string[]>>;
}

const both = (...sends: readonly string[]) => ({ postgres: sends, redshift: sends });

const OWN = "SELECT pg_backend_pid() AS own";
const ROWS = `SELECT count(*) AS found FROM "shop"."visits"`;

const cases: readonly Case[] = [
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
        `CREATE TABLE IF NOT EXISTS "new"."Orders" ("id" bigint ENCODE AZ64 NOT NULL, "state" VARCHAR(65535) DEFAULT 'new' ENCODE ZSTD, "amount" numeric(10,2) DEFAULT 0 NOT NULL, PRIMARY KEY ("id")) DISTSTYLE KEY DISTKEY ("id") COMPOUND SORTKEY ("state", "id")`,
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
    task: Vacuum({ table, date, mode: "full", analyze: true }),
    sends: {
      postgres: ['VACUUM (FULL, ANALYZE) "shop"."visits"'],
      redshift: ['VACUUM FULL "shop"."visits"', 'ANALYZE "shop"."visits"'],
    },
  },
  { task: Vacuum({ table, date }), sends: both('VACUUM "shop"."visits"') },
  {
    task: Grant({ privileges: ["select", "insert"], to: [{ kind: "public" }], table, date }),
    sends: both('GRANT SELECT, INSERT ON TABLE "shop"."visits" TO PUBLIC'),
  },
  {
    task: Grant({ privileges: ["usage"], to: [{ kind: "public" }], schema: "shop", date }),
    sends: both('GRANT USAGE ON SCHEMA "shop" TO PUBLIC'),
  },
  {
    task: Grant({ privileges: ["all"], to: [{ kind: "public" }], tablesIn: "shop", date }),
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
  { task: KillOpenSessions({ table, date }), sends: both(OWN) },
  { task: KillOpenSessions({ table, date, user: "Nobody" }), sends: both(OWN) },
  { task: KillOpenSessions({ table, date, label: "no such task" }), sends: both(OWN) },
  { task: TruncateTable({ table, date }), sends: both('TRUNCATE TABLE "shop"."visits"') },
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

/** Looks at the catalog and at sessions, which `sql` makes too: they change nothing and are not printed. */
const LOOKS = /pg_backend_pid\(\) AS pid|pg_attribute|svv_transactions|pg_locks|pg_stat_activity/;
/** A second look for sessions with a label; the first is printed, as every Redshift transaction has it. */
const isLook = (sql: string) => LOOKS.test(sql) || sql.includes("'no such task'");

describe.each(DIALECTS)("%s", (dialect) => {
  let place: Place;
  let stores: OpenedStores;
  let proxy: TcpProxy;

  beforeAll(async () => {
    place = await freshPlace(dialect);
    const through = await proxied(String(place.settings.warehouseUrl));
    ({ proxy } = through);
    stores = opened({ ...place.settings, warehouseUrl: through.url });
    const setup = RunSql({ sql: "", table, date });
    await stores.warehouse.atomically(
      outputsOf(setup, stores, { attempt: attempt() }),
      "CREATE SCHEMA shop",
      "CREATE TABLE shop.visits (id integer, page varchar(20))",
      "INSERT INTO shop.visits VALUES (1, 'a'), (2, 'b')",
    );
  });

  test.each(cases.map((each) => [each.task.name.slice(0, 80), each] as const))(
    "%s",
    async (_name, { task, sends }) => {
      const statements = await printed(task, stores);
      const sent = await sentBy(task, () => runTask(task, stores));
      expect(sent.filter((sql) => !isLook(sql))).toEqual(statements);
      const frame = await frameOf(task);
      expect(statements.filter((sql) => !frame.includes(sql))).toEqual(sends[dialect]);
    },
  );

  /** What any transaction with the task's marker sends. */
  async function frameOf(task: Task): Promise<readonly string[]> {
    const marker = outputsOf(RunSql({ sql: "", table, date }), stores);
    const own = { ...marker, updateId: task.id, table: task.texts["table"] || "shop" };
    return [
      ...(await stores.warehouse.atomicallyStatements(own)),
      ...(await stores.warehouse.seriallyStatements(own)),
    ];
  }

  /** The simple-protocol statements of the session that carries the task's id. */
  async function sentBy(task: Task, work: () => Promise<unknown>): Promise<string[]> {
    const byLink = new Map<unknown, Buffer[]>();
    proxy.rules = {
      onClient: (bytes, link) =>
        byLink.set(link, [...(byLink.get(link) ?? []), Buffer.from(bytes)]),
    };
    await work();
    proxy.rules = {};
    const sessions = [...byLink.values()].map((chunks) => Buffer.concat(chunks));
    const own = sessions.filter((bytes) =>
      bytes.includes(`application_name\0${sessionLabel(task.id)}\0`),
    );
    expect(own).toHaveLength(1);
    return own.flatMap(simpleQueries);
  }
});

function simpleQueries(session: Buffer): string[] {
  const queries: string[] = [];
  // The start-up message has no type.
  let at = session.readUInt32BE(0);
  while (at < session.length) {
    const length = session.readUInt32BE(at + 1);
    if (session[at] === 0x51) queries.push(session.toString("utf8", at + 5, at + length));
    at += 1 + length;
  }
  return queries;
}
