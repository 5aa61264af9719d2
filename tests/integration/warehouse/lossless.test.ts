/**
 * Postgres to S3 to Redshift to S3 to Postgres: what comes back is what was there, byte for byte, but for
 * what the type map says. Run on the stand-in, which keeps what is dangerous in Redshift.
 */
import { Temporal } from "temporal-polyfill";
import { beforeAll, describe, expect, test } from "vitest";
import type { OpenedStores, StoreSettings } from "../../../src/stores/open-stores.ts";
import { countRows } from "../../../src/tasks/count-rows.ts";
import { LoadTable, loadTable } from "../../../src/tasks/load-table.ts";
import { TableCopyToS3 } from "../../../src/tasks/copy-table-to-s3.ts";
import { UnloadQuery, UnloadTable } from "../../../src/tasks/unload-table.ts";
import { defineTask } from "../../../src/core/define.ts";
import { p } from "../../../src/core/params/p.ts";
import type { RedshiftColumns } from "../../../src/sql/redshift/types.ts";
import { tableMarker } from "../../../src/targets/table-marker.ts";
import { freshBucket, freshDatabase, freshRedshift } from "../../support/services.ts";
import { quoteTable } from "../../../src/sql/postgres/quote.ts";
import { administer, opened, outputsOf, runTask } from "../data/data-stores.ts";
import { HOSTILE_TABLE } from "../data/hostile-table.ts";

const date = Temporal.PlainDate.from("2026-11-21");

let postgresUrl: string;
let settings: StoreSettings;
/** From Postgres into Redshift. */
let out: OpenedStores;
/** Back into the same Postgres. */
let back: OpenedStores;

beforeAll(async () => {
  postgresUrl = await freshDatabase();
  const { url: warehouseUrl } = await freshRedshift();
  settings = { sourceUrl: postgresUrl, warehouseUrl, s3: await freshBucket() };
  out = opened(settings);
  back = opened({ ...settings, warehouseUrl: postgresUrl });
  await administer(postgresUrl, `${HOSTILE_TABLE}; CREATE SCHEMA back`);
});

/** Loads what Redshift unloaded; each column reads its own type from the text. */
const Return = defineTask(
  {
    name: "Return",
    params: { table: p.table(), into: p.table(), date: p.date() },
    requires: ({ table, date }) => UnloadTable({ table, date, dialect: "postgres" }),
    output: ({ into }) => tableMarker(into),
  },
  ({ params: { into }, input, output, warehouse }) =>
    warehouse.atomically(output, loadTable(into, input, { convert: true })),
);

/** There and back; gives the rows by which the two differ. */
async function roundTrip(
  table: string,
  into: string,
  columns: RedshiftColumns = {},
): Promise<unknown[]> {
  const dump = { table, date, dialect: "redshift", columns } as const;
  await runTask(TableCopyToS3(dump), out);
  await runTask(LoadTable(dump), out);
  await runTask(UnloadTable({ table, date, dialect: "postgres" }), out);
  const [left, right] = [table, into].map((name) => quoteTable(name));
  await administer(postgresUrl, `CREATE TABLE ${right} (LIKE ${left})`);
  await runTask(Return({ table, into, date }), back);
  expect(await countRows(back.warehouse, into)).toBe(await countRows(out.source, table));
  return await administer(
    postgresUrl,
    `WITH there AS (SELECT t::text FROM ${left} AS t), here AS (SELECT t::text FROM ${right} AS t)
     (TABLE there EXCEPT ALL TABLE here) UNION ALL (TABLE here EXCEPT ALL TABLE there)`,
  );
}

const TEXT = { type: "varchar(65535)" };

/** Columns with values that Redshift has no place for in its own types, kept as their text. */
const AS_TEXT: RedshiftColumns = Object.fromEntries(
  "boundless raw single double day clock clock_zone moment moment_zone doc docb numbers texts grid moods"
    .split(" ")
    .map((name) => [name, TEXT]),
);

test("a table of hostile values in more than 40 types comes back byte for byte", async () => {
  expect(await roundTrip("src.Hostile", "back.Hostile", AS_TEXT)).toEqual([]);
  expect(await countRows(back.warehouse, "back.Hostile")).toBeGreaterThan(100);
});

test("the types in Redshift are those of the type map", async () => {
  const columns = await out.warehouse.describe("src.Hostile");
  const types = new Map(columns?.map(({ name, pgType }) => [name, pgType]));
  expect(types.get("exact")).toBe("numeric(38,10)");
  expect(types.get("cash")).toBe("numeric(20,2)");
  expect(types.get("fixed")).toBe("character varying(20)");
  expect(types.get("words")).toBe("character varying(65535)");
  expect(types.get("moment_3")).toBe("timestamp without time zone");
});

test("ordinary values need no option: numbers, times, JSON, arrays", async () => {
  await administer(
    postgresUrl,
    `CREATE TABLE src.plain (a real, b double precision, c date, d timestamp, e timestamptz, f time,
       g timetz, h jsonb, i integer[], j text[], k bytea, l boolean, m numeric(19,4));
     INSERT INTO src.plain VALUES
       (0.1, 0.1::float8 + 0.2::float8, '2026-02-28', '1999-12-31 23:59:59.999999',
        '2026-03-29 02:30+02', '00:00:00.000001', '12:00+05:30', '{"a": [1, null, "x"]}', '{1,NULL,3}',
        ARRAY['', NULL, 'a"b', E'\\n'], '\\x00ff0a', true, 999999999999999.9999),
       (-1e30, 4.9e-324, '0001-01-01', '0001-01-01', '9999-12-31 23:59:59+00', '23:59:59.999999',
        '00:00-12', 'null', '{}', '{}', '\\xdead', false, -0.0001),
       (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)`,
  );
  const arrays = { i: TEXT, j: TEXT };
  expect(await roundTrip("src.plain", "back.plain", arrays)).toEqual([]);
  // Arrays are SUPER by default: their elements are there, as JSON.
  const other = { table: "src.plain", date, dialect: "redshift", into: "src.json" } as const;
  await runTask(TableCopyToS3({ table: "src.plain", date, dialect: "redshift" }), out);
  await runTask(LoadTable(other), out);
  expect(await out.warehouse.query("SELECT j FROM src.json WHERE l")).toEqual([
    { j: '["",null,"a\\"b","\\n"]' },
  ]);
});

describe("what Redshift cannot hold is refused before the dump, with the column and the remedy", () => {
  const dump = (query: string, columns?: RedshiftColumns) =>
    runTask(TableCopyToS3({ table: "x", query, date, dialect: "redshift", columns }), out);

  test("a numeric without precision, or with too much", async () => {
    await expect(dump("SELECT 1::numeric AS price, 2::numeric(50,2) AS large")).rejects.toThrow(
      /cannot hold "price" \(numeric\): it has no precision: choose a type .*decimal\(38,10\).*; "large" \(numeric\(50,2\)\): decimals have at most 38 digits/,
    );
    expect(
      await dump("SELECT 1::numeric AS price", { price: { type: "decimal(18,4)" } }),
    ).toMatchObject({ rows: 1 });
  });

  test("two names that differ in their case only", async () => {
    await expect(dump('SELECT 1 AS "Id", 2 AS id')).rejects.toThrow(
      '"Id" and "id" are one name in Redshift',
    );
  });

  test("an option for a column that is not there, and a type that is none", async () => {
    await expect(dump("SELECT 1 AS a", { b: TEXT })).rejects.toThrow('option for the column "b"');
    await expect(dump("SELECT 1 AS a", { a: { type: "int); DROP TABLE x" } })).rejects.toThrow(
      "expected a type of Redshift",
    );
  });
});

describe("values that only some rows have", () => {
  const loaded = async (table: string, columns?: RedshiftColumns) => {
    const dump = { table, date, dialect: "redshift", columns } as const;
    await runTask(TableCopyToS3(dump), out);
    return await runTask(LoadTable(dump), out);
  };

  test.each([
    ["no bytes", "bytea", "''", { empty: "null" }],
    ["NaN", "real", "'NaN'", { nonFinite: "null" }],
    ["infinity", "date", "'infinity'", { nonFinite: "null" }],
    ["a date before the year 1", "date", "'0044-03-15 BC'", { nonFinite: "null" }],
    ["text of more than 65,535 bytes", "text", "repeat('ä', 40000)", { truncate: 10_000 }],
  ] as const)(
    "%s: the load is refused, or the option says what becomes of it",
    async (_, type, value, option) => {
      const table = `src.odd_${type}_${value.length}`;
      await administer(
        postgresUrl,
        `CREATE TABLE ${table} (v ${type}); INSERT INTO ${table} VALUES (${value}), (NULL)`,
      );
      await expect(loaded(table)).rejects.toMatchObject({ code: "BAD_DATA", retryable: false });
      expect(await loaded(table, { v: option })).toMatchObject({ rows: 2 });
      const [row] = await out.warehouse.query(
        `SELECT max(len(${type === "bytea" ? "NULL" : "v"}::varchar(65535))) AS length FROM ${table}`,
      );
      expect(row).toEqual({ length: "truncate" in option ? 10_000 : null });
    },
  );

  test("a decimal is rounded by Postgres when the option says so, and too large is an error", async () => {
    await administer(
      postgresUrl,
      "CREATE TABLE src.cut (v numeric); INSERT INTO src.cut VALUES (1.23456), (-1.5)",
    );
    await loaded("src.cut", { v: { type: "decimal(10,2)" } });
    expect(await out.warehouse.query("SELECT v FROM src.cut ORDER BY v")).toEqual([
      { v: "-1.50" },
      { v: "1.23" },
    ]);
    await administer(postgresUrl, "INSERT INTO src.cut VALUES (123456789012)");
    await expect(loaded("src.cut", { v: { type: "decimal(10,3)" } })).rejects.toMatchObject({
      code: "BAD_DATA",
    });
  });
});

test("a dump for Postgres is loaded by Redshift as far as its text is the same, and refused otherwise", async () => {
  await administer(
    postgresUrl,
    "CREATE TABLE src.same (id integer, words text); INSERT INTO src.same VALUES (1, 'x'); CREATE TABLE src.bytes (id integer, raw bytea)",
  );
  await runTask(TableCopyToS3({ table: "src.same", date }), out);
  expect(await runTask(LoadTable({ table: "src.same", date }), out)).toMatchObject({ rows: 1 });
  await runTask(TableCopyToS3({ table: "src.bytes", date }), out);
  await expect(runTask(LoadTable({ table: "src.bytes", date }), out)).rejects.toThrow(
    '"raw" (bytea) was written for postgres, and redshift would read its text as something else. Write the dataset with dialect: "redshift"',
  );
  await runTask(TableCopyToS3({ table: "src.bytes", date, dialect: "redshift" }), out);
  const other = LoadTable({ table: "src.bytes", date, dialect: "redshift", into: "back.bytes" });
  await expect(runTask(other, back)).rejects.toThrow("was written for redshift");
});

test("UnloadQuery: no rows, NULL beside an empty string, and the manifest's rows are the query's", async () => {
  const none = UnloadQuery({ name: "none", query: "SELECT 1 AS a WHERE 1 = 0", date });
  expect(await runTask(none, out)).toMatchObject({ rows: 0 });
  const query = "SELECT 'it''s \\\\ x' AS a, NULL AS b UNION ALL SELECT '', 'y';";
  const task = UnloadQuery({ name: "two", query, date, dialect: "postgres" });
  expect(await runTask(task, out)).toMatchObject({ rows: 2 });
  const Two = defineTask(
    { name: "Two", requires: () => task, output: () => tableMarker("back.two") },
    ({ input, output, warehouse }) => warehouse.atomically(output, loadTable("back.two", input)),
  );
  await runTask(Two(), back);
  expect(await back.warehouse.query("SELECT a, b FROM back.two ORDER BY a")).toEqual([
    { a: "", b: "y" },
    { a: "it's \\ x", b: null },
  ]);
  const { entries, dump } = await outputsOf(task, out).manifest();
  expect(dump).toMatchObject({
    rows: 2,
    format: { null: expect.stringMatching(/^@NULL-[0-9a-f]{16}@$/) },
  });
  expect(entries.every(({ url }) => url.includes("/attempt-"))).toBe(true);
});
