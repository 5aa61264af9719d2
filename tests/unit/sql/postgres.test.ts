/** Whole statements: what is asked of Postgres, to the letter. */
import { expect, test } from "vitest";
import { holds, needsQuotes } from "../../../src/sql/postgres/column-types.ts";
import { copyOut, openDump } from "../../../src/sql/postgres/dump.ts";
import {
  CREATE_MARKER_TABLE,
  insertMarker,
  selectMarker,
} from "../../../src/sql/postgres/marker.ts";
import { quoteIdentifier, quoteLiteral, quoteTable } from "../../../src/sql/postgres/quote.ts";
import {
  copyIn,
  countRows,
  createTable,
  deleteRows,
  insertSelect,
  lockTable,
} from "../../../src/sql/postgres/write.ts";

const columns = [
  { name: "id", pgType: "bigint" },
  { name: 'odd "name"', pgType: "text" },
];
const slice = { column: "day", from: "2026-11-21", before: "2026-11-22" };

test("a dump opens one read-only snapshot, with the lock before it", () => {
  expect(openDump({ table: "shop.orders", lockable: true })).toEqual([
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "SET LOCAL TimeZone = 'UTC'",
    "SET LOCAL DateStyle = 'ISO, MDY'",
    "SET LOCAL IntervalStyle = 'iso_8601'",
    "SET LOCAL extra_float_digits = 1",
    "SET LOCAL bytea_output = 'hex'",
    "SET LOCAL lc_monetary = 'C'",
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL idle_in_transaction_session_timeout = 0",
    "SET LOCAL lock_timeout = '30s'",
    "SET LOCAL row_security = off",
    'LOCK TABLE "shop"."orders" IN ACCESS SHARE MODE',
  ]);
  expect(openDump({ query: "SELECT 1" }).at(-1)).toBe("SET LOCAL row_security = off");
});

test("a table is copied out by its columns, text quoted, NULL as a sentinel", () => {
  expect(copyOut({ table: "shop.orders", lockable: true }, columns, "@NULL@")).toBe(
    `COPY (SELECT "id", "odd ""name""" FROM "shop"."orders") TO STDOUT WITH (FORMAT csv, NULL '@NULL@', FORCE_QUOTE ("odd ""name"""), ENCODING 'UTF8')`,
  );
});

test("a query is copied out without its semicolon, and its last comment swallows nothing", () => {
  expect(
    copyOut({ query: "SELECT 1 AS id -- one\n ;; " }, [{ name: "id", pgType: "integer" }], "@"),
  ).toBe(
    `COPY (SELECT "id" FROM (\nSELECT 1 AS id -- one\n) AS query) TO STDOUT WITH (FORMAT csv, NULL '@', ENCODING 'UTF8')`,
  );
});

test("a warehouse table is created with its schema, locked, emptied, filled and counted", () => {
  expect(createTable("mart.daily", columns)).toEqual([
    'CREATE SCHEMA IF NOT EXISTS "mart"',
    'CREATE TABLE "mart"."daily" ("id" bigint, "odd ""name""" text)',
  ]);
  expect(createTable("daily", columns)).toHaveLength(1);
  expect(lockTable("mart.daily")).toBe('LOCK TABLE "mart"."daily" IN SHARE ROW EXCLUSIVE MODE');
  expect(deleteRows("mart.daily")).toBe('DELETE FROM "mart"."daily"');
  expect(deleteRows("mart.daily", slice)).toBe(
    `DELETE FROM "mart"."daily" WHERE "day" >= DATE '2026-11-21' AND "day" < DATE '2026-11-22'`,
  );
  expect(countRows("mart.daily", slice)).toBe(
    `SELECT count(*) FROM "mart"."daily" WHERE "day" >= DATE '2026-11-21' AND "day" < DATE '2026-11-22'`,
  );
  expect(insertSelect("mart.daily", columns, "SELECT 1;")).toBe(
    'INSERT INTO "mart"."daily" ("id", "odd ""name""") SELECT "id", "odd ""name""" FROM (\nSELECT 1\n) AS query',
  );
  expect(copyIn("mart.daily", columns, "@NULL@")).toBe(
    `COPY "mart"."daily" ("id", "odd ""name""") FROM STDIN WITH (FORMAT csv, NULL '@NULL@', ENCODING 'UTF8')`,
  );
});

test("the marker table is Luigi's", () => {
  expect(CREATE_MARKER_TABLE).toBe(
    'CREATE TABLE IF NOT EXISTS "table_updates" (update_id TEXT PRIMARY KEY, target_table TEXT, inserted TIMESTAMP)',
  );
  expect(selectMarker("Load_x'y_1")).toBe(
    `SELECT 1 FROM "table_updates" WHERE update_id = 'Load_x''y_1'`,
  );
  expect(insertMarker({ updateId: "Load_1", table: "mart.daily" })).toBe(
    `INSERT INTO "table_updates" (update_id, target_table, inserted) VALUES ('Load_1', 'mart.daily', now()) ON CONFLICT DO NOTHING`,
  );
});

test("names and values cannot break out of their quotes", () => {
  expect(quoteIdentifier('a"; DROP TABLE x; --')).toBe('"a""; DROP TABLE x; --"');
  expect(quoteLiteral("'; DROP TABLE x; --\\")).toBe("'''; DROP TABLE x; --\\'");
  expect(quoteTable("Mixed.Case")).toBe('"Mixed"."Case"');
  expect(() => quoteIdentifier("")).toThrow("cannot be a name");
  expect(() => quoteIdentifier("ä".repeat(32))).toThrow("1 to 63 bytes");
  expect(() => quoteLiteral("a\0b")).toThrow("NUL");
  for (const name of ["", "a.b.c", ".b", "a."]) expect(() => quoteTable(name)).toThrow("got");
});

test("only types whose text is never empty and has no blanks go without quotes", () => {
  const bare = [
    "bigint",
    "numeric(10,2)",
    "timestamp(3) without time zone",
    "date",
    "uuid",
    "boolean",
  ];
  const quoted = [
    "text",
    "character(5)",
    "integer[]",
    "shop.mood",
    "json",
    "interval",
    "money",
    "bytea",
  ];
  expect(bare.filter(needsQuotes)).toEqual([]);
  expect(quoted.filter((pgType) => !needsQuotes(pgType))).toEqual([]);
});

test("a column may hold a narrower one, never a wider", () => {
  expect(holds("bigint", "smallint")).toBe(true);
  expect(holds("text", "shop.mood")).toBe(true);
  expect(holds("numeric", "numeric(10,2)")).toBe(true);
  expect(holds("character varying(20)", "character varying(10)")).toBe(true);
  expect(holds("integer", "bigint")).toBe(false);
  expect(holds("character varying(10)", "character varying(20)")).toBe(false);
  expect(holds("character varying(10)", "text")).toBe(false);
  expect(holds("numeric(10,2)", "numeric(10,3)")).toBe(false);
  expect(holds("date", "timestamp without time zone")).toBe(false);
});
