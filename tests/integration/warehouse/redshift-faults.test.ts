/** What breaks around Redshift, and what is in the table after the next attempt: every row once. */
import { Client } from "pg";
import { Temporal } from "temporal-polyfill";
import { beforeAll, describe, expect, test } from "vitest";
import type { Marker } from "../../../src/core/stores.ts";
import { sessionLabel } from "../../../src/stores/postgres/address.ts";
import type { OpenedStores, StoreSettings } from "../../../src/stores/open-stores.ts";
import { countRows } from "../../../src/tasks/count-rows.ts";
import { LoadTable } from "../../../src/tasks/load-table.ts";
import { TableCopyToS3 } from "../../../src/tasks/copy-table-to-s3.ts";
import { UnloadTable } from "../../../src/tasks/unload-table.ts";
import { proxied } from "../../support/proxied.ts";
import { freshBucket, freshDatabase, freshRedshift } from "../../support/services.ts";
import type { TcpProxy } from "../../support/tcp-proxy.ts";
import { administer, keysOf, opened, outputsOf, runTask } from "../data/data-stores.ts";

const date = Temporal.PlainDate.from("2026-11-21");
const ROWS = 500;

let sourceUrl: string;
/** Of the Postgres behind the stand-in. */
let postgresUrl: string;
let proxy: TcpProxy;
let settings: StoreSettings;
/** Through the proxy. */
let stores: OpenedStores;

beforeAll(async () => {
  sourceUrl = await freshDatabase();
  const { url, postgresUrl: behind } = await freshRedshift();
  postgresUrl = behind;
  const through = await proxied(url);
  ({ proxy } = through);
  settings = { sourceUrl, warehouseUrl: through.url, s3: await freshBucket() };
  stores = opened(settings);
  await administer(
    sourceUrl,
    `CREATE TABLE orders AS SELECT n AS id, 'order ' || n AS words FROM generate_series(1, ${ROWS}) AS n`,
  );
  await runTask(TableCopyToS3({ table: "orders", date }), stores);
});

function marker(updateId: string, change: Partial<Marker> = {}): Marker {
  const { signal } = new AbortController();
  return { updateId, table: "t", signal, confirmLease: async () => {}, ...change };
}

/** Cuts each session that sends `text`, once, before or after the server gets it. */
function cutAt(text: string, when: "before" | "after"): { readonly cuts: () => number } {
  let cuts = 0;
  const armed = new Set<unknown>();
  proxy.rules = {
    onClient: (bytes, link) => {
      if (cuts > 0 || !bytes.includes(text)) return true;
      cuts++;
      if (when === "after") {
        armed.add(link);
        return true;
      }
      link.cut();
      return false;
    },
    onServer: (_, link) => {
      if (!armed.has(link)) return true;
      // The server answered, so it did it; the answer is lost.
      link.cut();
      return false;
    },
  };
  return { cuts: () => cuts };
}

describe("a connection that is cut", () => {
  test.each([
    ["before COPY arrives", "FROM 's3://", "before"],
    ["in the middle of COPY", "FROM 's3://", "after"],
    ["before COMMIT arrives", "COMMIT\0", "before"],
    ["when COMMIT was done and its answer is lost", "COMMIT\0", "after"],
  ] as const)("%s: every row is there once", async (name, text, when) => {
    const into = `cut_${name.replaceAll(/\W/g, "_").toLowerCase()}`;
    const { cuts } = cutAt(text, when);
    const task = LoadTable({ table: "orders", date, into });
    expect(await runTask(task, stores)).toMatchObject({ rows: ROWS });
    expect(cuts()).toBe(1);
    proxy.rules = {};
    expect(await countRows(stores.warehouse, into)).toBe(ROWS);
    // The next attempt finds it done.
    await runTask(task, stores);
    expect(await countRows(stores.warehouse, into)).toBe(ROWS);
    const [found] = await administer(
      postgresUrl,
      `SELECT count(*)::int AS markers FROM table_updates WHERE update_id = '${task.id}'`,
    );
    expect(found).toEqual({ markers: 1 });
  });

  test("the answer to COPY is lost in silence: the attempt fails, and the next one loads every row once", async () => {
    const impatient = opened({ ...settings, stallAfter: 300 });
    let silent: unknown;
    proxy.rules = {
      onClient: (bytes, link) => {
        if (bytes.includes("FROM 's3://")) silent ??= link;
      },
      onServer: (_, link) => link !== silent,
    };
    const task = LoadTable({ table: "orders", date, into: "cut_off" });
    await expect(runTask(task, impatient)).rejects.toMatchObject({
      code: "STATEMENT_STALLED",
      retryable: true,
    });
    expect(silent).toBeDefined();
    expect(await runTask(task, impatient)).toMatchObject({ rows: ROWS });
    proxy.rules = {};
    expect(await countRows(stores.warehouse, "cut_off")).toBe(ROWS);
  });

  test("in the middle of UNLOAD: nothing is published, and the next attempt is whole", async () => {
    await runTask(LoadTable({ table: "orders", date }), stores);
    const task = UnloadTable({ table: "orders", date });
    const { cuts } = cutAt("UNLOAD (", "after");
    await expect(runTask(task, stores)).rejects.toMatchObject({ retryable: true });
    expect(cuts()).toBe(1);
    proxy.rules = {};
    expect(await outputsOf(task, stores).exists()).toBe(false);
    expect(await runTask(task, stores)).toMatchObject({ rows: ROWS });
    const { entries } = await outputsOf(task, stores).manifest();
    const keys = await keysOf(stores, "unloads/orders/");
    // Nothing is left of the attempt that was cut, nor of Redshift's own manifest.
    expect(keys).toHaveLength(entries.length + 1);
  });
});

test("conflicts with other transactions: the whole is run again", async () => {
  await administer(postgresUrl, "CREATE TABLE contended (a integer)");
  await stores.warehouse.query("CALL sluice_standin.conflict('contended', 2)");
  let runs = 0;
  const committed = await stores.warehouse.atomically(marker("contended"), async (transaction) => {
    runs++;
    return await transaction.execute("INSERT INTO contended VALUES (1)");
  });
  expect({ runs, committed }).toEqual({ runs: 3, committed: { rows: 1, already: false } });
  expect(await countRows(stores.warehouse, "contended")).toBe(1);
});

test("a conflict that does not end is retryable, and says what it is", async () => {
  await stores.warehouse.query("CALL sluice_standin.conflict('contended', 9)");
  await expect(
    stores.warehouse.atomically(marker("contended again"), "INSERT INTO contended VALUES (2)"),
  ).rejects.toMatchObject({ code: "SERIALIZATION_CONFLICT", retryable: true });
  await stores.warehouse.query("CALL sluice_standin.conflict('contended', 0)");
});

test("a statement that outlived its client is ended before the next attempt writes", async () => {
  const task = LoadTable({ table: "orders", date, into: "outlived" });
  // What a dead client leaves behind: a session with the task's label that goes on and would commit.
  const orphan = new Client({
    connectionString: postgresUrl,
    application_name: sessionLabel(task.id),
  });
  orphan.on("error", () => {});
  await orphan.connect();
  const ended = orphan
    .query("CREATE TABLE outlived AS SELECT 0 AS id, 'x'::text AS words FROM pg_sleep(60)")
    .then(
      () => "committed",
      () => "ended",
    );
  expect(await runTask(task, stores)).toMatchObject({ rows: ROWS });
  expect(await ended).toBe("ended");
  expect(await countRows(stores.warehouse, "outlived")).toBe(ROWS);
});

test("an abort cancels the statement on the server", async () => {
  const abort = new AbortController();
  const own = marker("aborted task", { signal: abort.signal });
  const working = stores.warehouse.atomically(
    own,
    "CREATE TABLE slow AS SELECT 1 AS a",
    async (tx) => {
      setTimeout(() => abort.abort(new Error("stop")), 300);
      return await tx.execute("INSERT INTO slow SELECT 1 FROM (SELECT pg_sleep(60)) AS s");
    },
  );
  await expect(working).rejects.toThrow("stop");
  const left = await administer(
    postgresUrl,
    "SELECT query FROM pg_stat_activity WHERE application_name = 'aborted task' AND state = 'active'",
  );
  expect(left).toEqual([]);
  expect(await stores.warehouse.describe("slow")).toBeUndefined();
});

test("a file that is missing: nothing is loaded, and what was there stays", async () => {
  const other = date.add({ days: 1 });
  await runTask(TableCopyToS3({ table: "orders", date: other }), stores);
  const [part = ""] = (await keysOf(stores, `dumps/orders/${other}/`)).filter((key) =>
    key.includes("part-"),
  );
  const body = await stores.s3.read(part);
  await stores.s3.delete([part]);
  const task = LoadTable({ table: "orders", date: other });
  await expect(runTask(task, stores)).rejects.toThrow(/part-0/);
  expect(await countRows(stores.warehouse, "orders")).toBe(ROWS);
  await stores.s3.put(part, body ?? "");
  expect(await runTask(task, stores)).toMatchObject({ rows: ROWS });
  expect(await countRows(stores.warehouse, "orders")).toBe(ROWS);
});

test("a bad row: file, line, column, type, value and reason; permanent; what was there stays", async () => {
  await administer(
    postgresUrl,
    "CREATE TABLE narrow (id integer, words varchar(8)); INSERT INTO narrow VALUES (0, 'old')",
  );
  const Load = LoadTable({ table: "orders", date, into: "narrow" });
  // The type is wider than the column, which is found out before anything is sent.
  await expect(runTask(Load, stores)).rejects.toThrow(
    '"words" is character varying(8) in the table',
  );
  const query =
    "SELECT id, CASE id WHEN 7 THEN 'far too long' ELSE 'fine' END::varchar(2) AS words FROM orders";
  const longer = query.replace("varchar(2)", "varchar(20)");
  await runTask(TableCopyToS3({ table: "orders", date, query: longer }), stores);
  const { loadTable } = await import("../../../src/tasks/load-table.ts");
  const input = outputsOf(TableCopyToS3({ table: "orders", date, query: longer }), stores);
  const error = await stores.warehouse
    .atomically(marker("narrow"), loadTable("narrow", input, { convert: true }))
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    code: "BAD_DATA",
    retryable: false,
    fields: { table: "narrow", line: 7, column: "words" },
  });
  expect(String(error)).toMatch(/line 7, column "words" of type .*value "far too long"/);
  expect(await stores.warehouse.query("SELECT id, words FROM narrow")).toEqual([
    { id: 0, words: "old" },
  ]);
});

test("row counts that do not agree with the manifest roll everything back", async () => {
  const other = date.add({ days: 2 });
  await runTask(TableCopyToS3({ table: "orders", date: other }), stores);
  const key = `dumps/orders/${other}/manifest.json`;
  const text = String(await stores.s3.read(key));
  await stores.s3.delete([key]);
  await stores.s3.put(key, text.replaceAll(`"rows": ${ROWS}`, `"rows": ${ROWS + 1}`));
  await expect(runTask(LoadTable({ table: "orders", date: other }), stores)).rejects.toMatchObject({
    code: "ROW_COUNT_MISMATCH",
    retryable: false,
  });
  expect(await countRows(stores.warehouse, "orders")).toBe(ROWS);
});
