/** Several sessions share one load into Postgres: all rows and the marker, or nothing, and no leavings. */
import { Temporal } from "temporal-polyfill";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { SluiceError } from "../../../src/core/errors.ts";
import { stageName } from "../../../src/sql/postgres/load-stage.ts";
import type { OpenedStores, StoreSettings } from "../../../src/stores/open-stores.ts";
import { copyTableToS3, TableCopyToS3 } from "../../../src/tasks/copy-table-to-s3.ts";
import { LoadTable } from "../../../src/tasks/load-table.ts";
import { proxied } from "../../support/proxied.ts";
import { administer, attempt, freshStores, opened, outputsOf, runTask } from "./data-stores.ts";

const date = Temporal.PlainDate.from("2026-11-21");
const ROWS = 30_000;

let url: string;
let stores: OpenedStores;
let settings: StoreSettings;

const load = (into: string) => LoadTable({ table: "src.wide", date, into, connections: 3 });

beforeAll(async () => {
  ({ url, stores, settings } = await freshStores());
  await administer(
    url,
    `CREATE SCHEMA src; CREATE SCHEMA dst; CREATE TYPE src.mood AS ENUM ('so', 'so ''la la''');
     CREATE TABLE src.wide AS SELECT n AS id, md5(n::text) AS words,
         CASE n % 3 WHEN 0 THEN '' WHEN 1 THEN E'a "b"\\nc' END AS note,
         (ARRAY['so', 'so ''la la'''])[1 + n % 2]::src.mood AS mood,
         numeric '0.10' * n AS price, date '2026-11-21' AS day
       FROM generate_series(1, ${ROWS}) AS n`,
  );
  const dump = outputsOf(TableCopyToS3({ table: "src.wide", date }), stores, {
    attempt: attempt(),
  });
  await copyTableToS3(stores.source, "src.wide", dump, { fileBytes: 300_000 });
  const { entries } = await dump.manifest();
  if (entries.length < 4) throw new Error("too few files to share");
});

beforeEach(async () => {
  await administer(url, "DROP TABLE IF EXISTS dst.wide");
});

async function differences(): Promise<Record<string, unknown>[]> {
  return await administer(
    url,
    `(SELECT * FROM src.wide EXCEPT ALL SELECT * FROM dst.wide)
     UNION ALL (SELECT * FROM dst.wide EXCEPT ALL SELECT * FROM src.wide)`,
  );
}

async function tablesOfDst(): Promise<unknown[]> {
  const rows = await administer(
    url,
    "SELECT relname FROM pg_class WHERE relnamespace = 'dst'::regnamespace AND relkind = 'r'",
  );
  return rows.map(({ relname }) => relname);
}

async function rejection(work: Promise<unknown>): Promise<SluiceError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof SluiceError) return error;
    throw error;
  }
  throw new Error("it did not fail");
}

const OLD = `CREATE TABLE dst.wide (LIKE src.wide);
  INSERT INTO dst.wide VALUES (1, 'old', NULL, NULL, NULL, '2026-11-21')`;

test.each([
  ["a table that is created", "SELECT 1"],
  ["a table whose rows are replaced", OLD],
  [
    "a table whose identity the server makes",
    `${OLD}; DELETE FROM dst.wide; ALTER TABLE dst.wide ALTER id SET NOT NULL,
       ALTER id ADD GENERATED ALWAYS AS IDENTITY`,
  ],
])("%s has all rows, and no stage is left", async (_name, setup) => {
  await administer(url, setup);
  const task = load("dst.wide");
  await runTask(task, stores);
  expect(await differences()).toEqual([]);
  expect(await tablesOfDst()).toEqual(["wide"]);
  await stores.warehouse.removeMarker(task.id);
});

test("only the slice is replaced", async () => {
  await administer(url, `${OLD}, (2, 'another day', NULL, NULL, NULL, '2026-11-20')`);
  await runTask(
    LoadTable({ table: "src.wide", date, into: "dst.wide", connections: 2, slice: "day" }),
    stores,
  );
  const days = "SELECT day::text, count(*)::int AS rows FROM dst.wide GROUP BY 1 ORDER BY 1";
  expect(await administer(url, days)).toEqual([
    { day: "2026-11-20", rows: 1 },
    { day: "2026-11-21", rows: ROWS },
  ]);
});

test("what a process that died has left is replaced", async () => {
  const task = load("dst.wide");
  await administer(
    url,
    `CREATE TABLE ${stageName("dst.wide", task.id, 1)} AS SELECT * FROM src.wide LIMIT 100`,
  );
  await runTask(task, stores);
  expect(await differences()).toEqual([]);
  expect(await tablesOfDst()).toEqual(["wide"]);
  await stores.warehouse.removeMarker(task.id);
});

test("a value that the table refuses leaves the old rows and no stage", async () => {
  await administer(url, `${OLD}; ALTER TABLE dst.wide ADD CHECK (id <> ${ROWS} - 1)`);
  const error = await rejection(runTask(load("dst.wide"), stores));
  expect(error.message).toContain("wide_id_check");
  expect(await administer(url, "SELECT words FROM dst.wide")).toEqual([{ words: "old" }]);
  expect(await tablesOfDst()).toEqual(["wide"]);
});

test("an attempt that lost its lease commits nothing and leaves no stage", async () => {
  await administer(url, OLD);
  const lost = new SluiceError("LEASE_LOST", "another attempt has the lease");
  const own = attempt({
    confirmLease: async () => {
      throw lost;
    },
  });
  expect(await rejection(runTask(load("dst.wide"), stores, { attempt: own }))).toBe(lost);
  expect(await administer(url, "SELECT words FROM dst.wide")).toEqual([{ words: "old" }]);
  expect(await tablesOfDst()).toEqual(["wide"]);
});

test("a connection that is cut fails all of them; the rerun has every row once", async () => {
  await administer(url, OLD);
  const { proxy, url: through } = await proxied(url);
  const cut = opened({ ...settings, warehouseUrl: through });
  let cuts = 0;
  let sent = 0;
  proxy.rules = {
    onClient: (bytes, link) => {
      sent += bytes.length;
      if (cuts > 0 || sent < 1_000_000) return;
      cuts++;
      link.cut();
    },
  };
  const task = load("dst.wide");
  await rejection(runTask(task, cut));
  expect(cuts).toBe(1);
  expect(await administer(url, "SELECT words FROM dst.wide")).toEqual([{ words: "old" }]);
  expect(await stores.warehouse.hasMarker(task.id)).toBe(false);
  await runTask(task, stores);
  expect(await differences()).toEqual([]);
  expect(await tablesOfDst()).toEqual(["wide"]);
  await stores.warehouse.removeMarker(task.id);
});

test("what `sluice sql` prints is what all sessions send", async () => {
  await administer(url, OLD);
  const { proxy, url: through } = await proxied(url);
  const watched = opened({ ...settings, warehouseUrl: through });
  const task = load("dst.wide");
  const signal = new AbortController().signal;
  const { source, warehouse, s3 } = watched;
  const input = outputsOf(TableCopyToS3({ table: "src.wide", date }), watched);
  const output = outputsOf(task, watched);
  const params = task.params;
  const printed = await task.family.sql?.({
    task,
    params,
    input,
    output,
    source,
    warehouse,
    s3,
    signal,
  });
  const sent: string[] = [];
  proxy.rules = {
    onClient: (bytes) => {
      if (bytes[0] === 0x51) sent.push(bytes.toString("utf8", 5, bytes.readUInt32BE(1)));
    },
  };
  await runTask(task, watched);
  const statements = sent.filter((sql) => !sql.includes("pg_backend_pid"));
  expect(statements.toSorted()).toEqual([...(printed ?? [])].toSorted());
  expect(statements.filter((sql) => sql.startsWith('INSERT INTO "dst"."wide"'))).toHaveLength(2);
});
