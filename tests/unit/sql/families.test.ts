/** Whole statements of the families that differ by dialect in more than quotes, to the letter. */
import { expect, test } from "vitest";
import type { Dialect } from "../../../src/core/stores.ts";
import { rowsWith } from "../../../src/sql/checks.ts";
import { createTable } from "../../../src/sql/create-table.ts";
import { grant } from "../../../src/sql/grant.ts";
import { endSession, openSessions, type Sessions } from "../../../src/sql/open-sessions.ts";
import { statementsFor } from "../../../src/sql/statements.ts";
import { VACUUM_MODES, vacuum } from "../../../src/sql/vacuum.ts";

const quoting = { postgres: statementsFor("postgres"), redshift: statementsFor("redshift") };
const inBoth = <T>(of: (dialect: Dialect) => T) => [of("postgres"), of("redshift")];

test("Redshift grants to users, groups and roles by one statement each, Postgres to roles", () => {
  const to = [
    { kind: "user", name: "ada" },
    { kind: "group", name: "analysts" },
    { kind: "role", name: 'odd "role"' },
    { kind: "public" },
  ] as const;
  const granted = inBoth((dialect) =>
    grant({ privileges: ["select"], on: { table: "mart.t" }, to }, dialect, quoting[dialect]),
  );
  expect(granted).toEqual([
    [
      'GRANT SELECT ON TABLE "mart"."t" TO "ada"',
      'GRANT SELECT ON TABLE "mart"."t" TO "analysts"',
      'GRANT SELECT ON TABLE "mart"."t" TO "odd ""role"""',
      'GRANT SELECT ON TABLE "mart"."t" TO PUBLIC',
    ],
    [
      'GRANT SELECT ON TABLE "mart"."t" TO "ada"',
      'GRANT SELECT ON TABLE "mart"."t" TO GROUP "analysts"',
      'GRANT SELECT ON TABLE "mart"."t" TO ROLE "odd ""role"""',
      'GRANT SELECT ON TABLE "mart"."t" TO PUBLIC',
    ],
  ]);
});

test("VACUUM in all its modes", () => {
  const statements = (mode?: (typeof VACUUM_MODES)[number]) =>
    vacuum("t", { mode }, "redshift", quoting.redshift);
  expect([undefined, ...VACUUM_MODES].flatMap(statements)).toEqual([
    'VACUUM "t"',
    'VACUUM FULL "t"',
    'VACUUM SORT ONLY "t"',
    'VACUUM DELETE ONLY "t"',
    'VACUUM REINDEX "t"',
    'VACUUM RECLUSTER "t"',
  ]);
  expect(vacuum("t", { analyze: true }, "postgres", quoting.postgres)).toEqual([
    'VACUUM (ANALYZE) "t"',
  ]);
});

test("a table is laid out for Redshift, with names folded, and is plain on Postgres", () => {
  const definition = {
    table: "t",
    columns: [
      { name: "Id", type: "int" },
      { name: "note", type: "text", notNull: true },
    ],
    redshift: { distStyle: "even", sortKey: ["Id"], encode: { id: "raw" } },
  } as const;
  const created = inBoth((dialect) =>
    createTable(definition, { ifNotExists: false }, dialect, quoting[dialect]),
  );
  expect(created).toEqual([
    'CREATE TABLE "t" ("Id" int, "note" text NOT NULL)',
    'CREATE TABLE "t" ("Id" int ENCODE RAW, "note" VARCHAR(65535) NOT NULL) DISTSTYLE EVEN SORTKEY ("Id")',
  ]);
});

test("sessions are found by lock, user and label, and ended by number", () => {
  const found = (which: Sessions) =>
    inBoth((dialect) => openSessions(which, dialect, quoting[dialect]));
  expect(found({ table: "Shop.Orders" })).toEqual([
    `SELECT DISTINCT l.pid FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database WHERE l.granted AND l.relation = to_regclass('"Shop"."Orders"') AND d.datname = current_database() ORDER BY l.pid`,
    "SELECT DISTINCT t.pid FROM svv_transactions AS t JOIN pg_class AS c ON c.oid = t.relation JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE t.granted AND t.txn_db = current_database() AND c.relname = 'orders' AND n.nspname = 'shop' ORDER BY t.pid",
  ]);
  expect(found({ user: "Ada's" })).toEqual([
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND usename = 'Ada''s' ORDER BY pid",
    "SELECT DISTINCT t.pid FROM svv_transactions AS t WHERE t.txn_owner = 'ada''s' AND t.txn_db = current_database() ORDER BY t.pid",
  ]);
  expect(found({ label: "Load_1" })).toEqual([
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND application_name = 'Load_1' ORDER BY pid",
    "SELECT DISTINCT session_id FROM sys_query_history WHERE query_label = 'Load_1' AND status IN ('planning', 'queued', 'running', 'returning')",
  ]);
  expect(endSession(4711)).toBe("SELECT pg_terminate_backend(4711)");
});

test("a partition's value is a literal of its dialect", () => {
  const partition = { table: "s.t", column: "day", value: "it's \\ here" };
  expect(inBoth((dialect) => rowsWith(partition, quoting[dialect]))).toEqual([
    `SELECT 1 AS found FROM "s"."t" WHERE "day" = 'it''s \\ here' LIMIT 1`,
    `SELECT 1 AS found FROM "s"."t" WHERE "day" = 'it''s \\\\ here' LIMIT 1`,
  ]);
});
