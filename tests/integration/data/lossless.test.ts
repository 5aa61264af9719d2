/** What comes out of the warehouse is what was in the source: every column of every row. */
import { Temporal } from "temporal-polyfill";
import { beforeAll, expect, test } from "vitest";
import { quoteTable } from "../../../src/sql/postgres/quote.ts";
import type { OpenedStores, StoreSettings } from "../../../src/stores/open-stores.ts";
import { copyTableToS3, TableCopyToS3 } from "../../../src/tasks/copy-table-to-s3.ts";
import { countRows } from "../../../src/tasks/count-rows.ts";
import { LoadTable } from "../../../src/tasks/load-table.ts";
import { freshDatabase } from "../../support/services.ts";
import {
  administer,
  attempt,
  freshStores,
  keysOf,
  opened,
  outputsOf,
  runTask,
} from "./data-stores.ts";
import { HOSTILE_TABLE, TYPE_COUNT } from "./hostile-table.ts";

const date = Temporal.PlainDate.from("2026-11-21");

let url: string;
let stores: OpenedStores;
let settings: StoreSettings;

beforeAll(async () => {
  ({ url, stores, settings } = await freshStores());
  await administer(url, HOSTILE_TABLE);
});

/** Dumps `table`, loads it as `into`, and gives the rows by which the two differ. */
async function roundTrip(table: string, into: string): Promise<unknown[]> {
  await runTask(TableCopyToS3({ table, date }), stores);
  await runTask(LoadTable({ table, date, into }), stores);
  expect(await countRows(stores.warehouse, into)).toBe(await countRows(stores.source, table));
  return await differences(table, into);
}

/** Rows as text: types without an equality (json, point, xml) are compared too, NULL and '' differ. */
async function differences(table: string, into: string): Promise<unknown[]> {
  const [left, right] = [table, into].map(
    (name) => `(SELECT t::text FROM ${quoteTable(name)} AS t)`,
  );
  return await administer(
    url,
    `(${left} EXCEPT ALL ${right}) UNION ALL (${right} EXCEPT ALL ${left})`,
  );
}

test("a table of hostile values in more than 25 types is equal in every column of every row", async () => {
  expect(TYPE_COUNT).toBeGreaterThan(40);
  expect(await roundTrip("src.Hostile", "copied.Hostile")).toEqual([]);
  expect(await countRows(stores.warehouse, "copied.Hostile")).toBeGreaterThan(100);
});

test("the created table has the column types of the source", async () => {
  const [there, here] = await Promise.all([
    stores.source.describe("src.Hostile"),
    stores.warehouse.describe("copied.Hostile"),
  ]);
  expect(here?.map(({ name, pgType }) => ({ name, pgType }))).toEqual(
    there.map(({ name, pgType }) => ({ name, pgType })),
  );
});

test("a server whose own settings print values differently changes nothing", async () => {
  await administer(
    url,
    `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET DateStyle = ''SQL, DMY''', current_database());
       EXECUTE format('ALTER DATABASE %I SET TimeZone = ''America/New_York''', current_database());
       EXECUTE format('ALTER DATABASE %I SET extra_float_digits = 0', current_database());
       EXECUTE format('ALTER DATABASE %I SET IntervalStyle = ''sql_standard''', current_database());
       EXECUTE format('ALTER DATABASE %I SET bytea_output = ''escape''', current_database()); END $$`,
  );
  // Each dump and load has a session of its own: the load already gets the other settings.
  const other = Temporal.PlainDate.from("2026-11-22");
  await runTask(TableCopyToS3({ table: "src.Hostile", date: other }), stores);
  await administer(
    url,
    `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET ALL', current_database()); END $$`,
  );
  await runTask(LoadTable({ table: "src.Hostile", date: other, into: "odd.Hostile" }), stores);
  expect(await differences("src.Hostile", "odd.Hostile")).toEqual([]);
});

test("into a database without the source's own types, those become text", async () => {
  const elsewhere = opened({ ...settings, warehouseUrl: await freshDatabase() });
  await runTask(LoadTable({ table: "src.Hostile", date }), elsewhere);
  const columns = await elsewhere.warehouse.describe("src.Hostile");
  expect(columns?.find(({ name }) => name === "mood")?.pgType).toBe("text");
  expect(columns?.find(({ name }) => name === "spot")?.pgType).toBe("point");
  const text = `SELECT t::text AS row FROM "src"."Hostile" AS t ORDER BY 1`;
  expect(await elsewhere.warehouse.query(text)).toEqual(await stores.source.query(text));
});

test("one column: an empty string, NULL, an empty line and an end-of-data mark stay apart", async () => {
  await administer(
    url,
    `CREATE TABLE src.one (words text); INSERT INTO src.one VALUES (''), (NULL), (E'\\n'), ('\\.'), (' '), ('')`,
  );
  expect(await roundTrip("src.one", "copied.one")).toEqual([]);
});

test("no rows: the dataset exists, without parts, and the table is empty", async () => {
  await administer(url, `CREATE TABLE src.none (number integer, words text)`);
  expect(await roundTrip("src.none", "copied.none")).toEqual([]);
  const { entries, dump } = await outputsOf(
    TableCopyToS3({ table: "src.none", date }),
    stores,
  ).manifest();
  expect(entries).toEqual([]);
  expect(dump.columns.map(({ name }) => name)).toEqual(["number", "words"]);
});

test("values that look like the NULL sentinel make the dump choose another one", async () => {
  await administer(
    url,
    `CREATE TABLE src.looks (words text);
     INSERT INTO src.looks VALUES ('@NULL@'), ('"@NULL@"'), (NULL), ('x@NULL@y'), ('')`,
  );
  expect(await roundTrip("src.looks", "copied.looks")).toEqual([]);
  const task = TableCopyToS3({ table: "src.looks", date });
  const { dump, entries } = await outputsOf(task, stores).manifest();
  expect(dump.format).toMatchObject({ null: expect.stringMatching(/^@NULL-[0-9a-f]{16}@$/) });
  // The parts of the first try are gone.
  expect(await keysOf(stores, "dumps/src.looks/")).toHaveLength(entries.length + 1);
});

test("a sentinel inside a longer value is no reason for another one", async () => {
  await administer(
    url,
    `CREATE TABLE src.inside (words text); INSERT INTO src.inside VALUES ('x@NULL@y'), ('x@NULL@')`,
  );
  expect(await roundTrip("src.inside", "copied.inside")).toEqual([]);
  const task = TableCopyToS3({ table: "src.inside", date });
  expect((await outputsOf(task, stores).manifest()).dump.format).toMatchObject({ null: "@NULL@" });
});

test("many files and lanes, rows longer than a block: cut between rows, none lost", async () => {
  await administer(
    url,
    `CREATE TABLE src.long AS
       SELECT n AS id, repeat(chr(33 + n % 90), (n % 7) * 50000) AS words FROM generate_series(1, 80) AS n`,
  );
  const task = TableCopyToS3({ table: "src.long", date });
  const output = outputsOf(task, stores, { attempt: attempt() });
  await copyTableToS3(stores.source, "src.long", output, { fileBytes: 1_000_000, lanes: 3 });
  const { entries, dump } = await output.manifest();
  expect(entries.length).toBeGreaterThan(8);
  expect(dump.rows).toBe(80);
  await runTask(LoadTable({ table: "src.long", date, into: "copied.long" }), stores);
  expect(await differences("src.long", "copied.long")).toEqual([]);
});

test("long rows are compressed against the rows before them", async () => {
  await administer(
    url,
    `CREATE TABLE src.alike AS SELECT n AS id, string_agg(md5(k::text), '' ORDER BY k) AS words
       FROM generate_series(1, 40) AS n, generate_series(1, 640) AS k GROUP BY n`,
  );
  const task = TableCopyToS3({ table: "src.alike", date });
  const output = outputsOf(task, stores, { attempt: attempt() });
  const { bytes } = await copyTableToS3(stores.source, "src.alike", output, {
    compression: "gzip",
  });
  // The first row takes 11 KB, as hexadecimal digits do.
  expect(bytes).toBeLessThan(30_000);
});

test("a partitioned table, a view and a materialized view are dumped like tables", async () => {
  await administer(
    url,
    `CREATE TABLE src.parts (id integer, day date) PARTITION BY RANGE (day);
     CREATE TABLE src.parts_1 PARTITION OF src.parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
     INSERT INTO src.parts SELECT n, '2026-01-01'::date + n FROM generate_series(1, 100) AS n;
     CREATE VIEW src.seen AS SELECT id FROM src.parts WHERE id < 10;
     CREATE MATERIALIZED VIEW src.kept AS SELECT id FROM src.parts WHERE id > 90`,
  );
  for (const table of ["parts", "seen", "kept"]) {
    expect(await roundTrip(`src.${table}`, `copied.${table}`)).toEqual([]);
  }
});

test("a query is dumped with its own columns, in a place of its own", async () => {
  const query = `SELECT id, day AS "The Day", NULL::text AS nothing FROM src.parts WHERE id <= 5; `;
  await runTask(TableCopyToS3({ table: "src.parts", date, query }), stores);
  await runTask(LoadTable({ table: "src.parts", date, into: "copied.five", query }), stores);
  expect(
    await stores.warehouse.query(`SELECT count(*)::int, min("The Day")::text FROM copied.five`),
  ).toEqual([{ count: 5, min: "2026-01-02" }]);
  const [table, five] = [undefined, query].map(
    (each) => outputsOf(TableCopyToS3({ table: "src.parts", date, query: each }), stores).location,
  );
  expect(five).toMatch(/\/queries\/src\.parts\/[0-9a-f]{16}\/2026-11-21\/$/);
  expect(table).toMatch(/\/dumps\/src\.parts\/2026-11-21\/$/);
});

test("a dump shows one moment: rows moved meanwhile are neither lost nor doubled", async () => {
  await administer(
    url,
    `CREATE TABLE src.moving (id serial, padding text);
     INSERT INTO src.moving (padding) SELECT repeat('x', 200) FROM generate_series(1, 20000)`,
  );
  const task = TableCopyToS3({ table: "src.moving", date });
  const output = outputsOf(task, stores, { attempt: attempt() });
  let moved: Promise<unknown> | undefined;
  await copyTableToS3(stores.source, "src.moving", output, {
    progress: () => {
      moved ??= administer(
        url,
        `DELETE FROM src.moving; INSERT INTO src.moving (padding) SELECT 'new' FROM generate_series(1, 7)`,
      );
    },
  });
  await moved;
  expect((await output.manifest()).dump.rows).toBe(20000);
  expect(await countRows(stores.source, "src.moving")).toBe(7);
});
