/** What breaks in Postgres breaks the attempt, says so clearly, and leaves nothing behind. */
import { inspect } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { Temporal } from "temporal-polyfill";
import { beforeAll, describe, expect, test } from "vitest";
import { PermanentError, SluiceError, UnreachableError } from "../../../src/core/errors.ts";
import type { OpenedStores, StoreSettings } from "../../../src/stores/open-stores.ts";
import { openStores } from "../../../src/stores/open-stores.ts";
import { sessionLabel } from "../../../src/stores/postgres/address.ts";
import { tableMarker } from "../../../src/targets/table-marker.ts";
import { copyTableToS3, TableCopyToS3 } from "../../../src/tasks/copy-table-to-s3.ts";
import { countRows } from "../../../src/tasks/count-rows.ts";
import { LoadTable } from "../../../src/tasks/load-table.ts";
import { replaceFromSelect } from "../../../src/tasks/replace-from-select.ts";
import { RunSql } from "../../../src/tasks/run-sql.ts";
import { freshDatabase } from "../../support/services.ts";
import {
  administer,
  attempt,
  freshStores,
  keysOf,
  opened,
  openUploads,
  outputsOf,
  runTask,
} from "./data-stores.ts";
import { proxied } from "../../support/proxied.ts";

const date = Temporal.PlainDate.from("2026-11-21");
const CANARY = "canary-7f3a91";

let url: string;
let stores: OpenedStores;
let settings: StoreSettings;

beforeAll(async () => {
  ({ url, stores, settings } = await freshStores());
  await administer(
    url,
    `CREATE TABLE wide AS SELECT n AS id, md5(n::text) || md5((n + 1)::text) AS words
       FROM generate_series(1, 200000) AS n;
     CREATE TABLE orders AS SELECT n AS id, 'order ' || n AS words FROM generate_series(1, 100) AS n`,
  );
});

async function rejection(work: Promise<unknown>): Promise<Error> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("it did not fail");
}

/** Backends whose session is labelled with the task, after a moment to become as many as expected. */
async function backendsOf(task: { readonly id: string }, expected = 0): Promise<number> {
  for (let wait = 0; ; wait++) {
    const rows = await administer(
      url,
      `SELECT 1 FROM pg_stat_activity WHERE application_name = '${sessionLabel(task.id)}'`,
    );
    if (rows.length === expected || wait === 20) return rows.length;
    await sleep(50);
  }
}

describe("during a dump", () => {
  test("a backend that is terminated fails the attempt; the next one succeeds", async () => {
    const task = TableCopyToS3({ table: "wide", date });
    const output = outputsOf(task, stores, { attempt: attempt() });
    let killed: Promise<unknown> | undefined;
    const kill = () => {
      killed ??= administer(
        url,
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '${sessionLabel(task.id)}'`,
      );
    };
    // Lanes that never have room: the dump cannot end before it is killed.
    const slow = { fileBytes: 100_000, lanes: 1, progress: kill };
    const error = await rejection(copyTableToS3(stores.source, "wide", output, slow));
    await killed;
    expect(error).toBeInstanceOf(SluiceError);
    expect(error).not.toBeInstanceOf(PermanentError);
    expect(error.message).toContain("dump of wide");
    expect(await output.exists()).toBe(false);
    expect(await keysOf(stores, "dumps/wide/")).toEqual([]);
    expect(await openUploads(stores)).toEqual([]);
    expect(await runTask(task, stores)).toMatchObject({ rows: 200000 });
  });

  test("an aborted attempt gives the reason, and its backend ends", async () => {
    const task = TableCopyToS3({ table: "wide", date: date.add({ days: 1 }) });
    const abort = new AbortController();
    const output = outputsOf(task, stores, { attempt: attempt(), signal: abort.signal });
    const reason = new Error("the worker stops");
    const dump = copyTableToS3(stores.source, "wide", output, {
      signal: abort.signal,
      progress: () => abort.abort(reason),
      fileBytes: 100_000,
    });
    expect(await rejection(dump)).toBe(reason);
    expect(await backendsOf(task)).toBe(0);
    expect(await openUploads(stores)).toEqual([]);
    expect(await keysOf(stores, "dumps/wide/2026-11-22/")).toEqual([]);
  });

  test("an abort ends a query that has not sent a byte yet, on the server too", async () => {
    const query = "SELECT id FROM orders, pg_sleep(30)";
    const task = TableCopyToS3({ table: "orders", date, query });
    const abort = new AbortController();
    const running = rejection(runTask(task, stores, { signal: abort.signal }));
    await sleep(300);
    expect(await backendsOf(task, 1)).toBe(1);
    abort.abort(new Error("stop"));
    expect((await running).message).toBe("stop");
    expect(await backendsOf(task)).toBe(0);
  });

  test("a connection that is cut fails as unreachable, to be tried again", async () => {
    const { proxy, url: through } = await proxied(url);
    const cut = opened({ ...settings, sourceUrl: through });
    const output = outputsOf(TableCopyToS3({ table: "wide", date: date.add({ days: 2 }) }), cut, {
      attempt: attempt(),
    });
    const dump = copyTableToS3(cut.source, "wide", output, { progress: () => proxy.cutAll() });
    const error = await rejection(dump);
    expect(error).toBeInstanceOf(UnreachableError);
    expect(await output.exists()).toBe(false);
  });

  test("a connection that silently died is noticed", async () => {
    const { proxy, url: through } = await proxied(url);
    const frozen = opened({ ...settings, sourceUrl: through, stallAfter: 300 });
    const output = outputsOf(
      TableCopyToS3({ table: "wide", date: date.add({ days: 3 }) }),
      frozen,
      {
        attempt: attempt(),
      },
    );
    let once = (): void => proxy.freeze();
    const dump = copyTableToS3(frozen.source, "wide", output, {
      progress: () => {
        once();
        once = () => {};
      },
    });
    expect(await rejection(dump)).toMatchObject({ code: "COPY_STALLED", retryable: true });
  });

  test("a server that works without sending is no stall", async () => {
    const patient = opened({ ...settings, stallAfter: 100 });
    const query = "SELECT pg_sleep(0.6)::text AS slept";
    const task = TableCopyToS3({ table: "orders", date, query });
    expect(await runTask(task, patient)).toMatchObject({ rows: 1 });
  });
});

describe("bad input", () => {
  test("an unknown table: the nearest name is suggested", async () => {
    const error = await rejection(runTask(TableCopyToS3({ table: "ordres", date }), stores));
    expect(error).toBeInstanceOf(PermanentError);
    expect(error.message).toMatch(/no table "ordres" in the source .* Did you mean "orders"\?/);
  });

  test("a table that is in another schema: that one is suggested", async () => {
    await administer(url, "CREATE SCHEMA shop; CREATE TABLE shop.customers (id integer)");
    const error = await rejection(runTask(TableCopyToS3({ table: "customers", date }), stores));
    expect(error.message).toContain('Did you mean "shop.customers"?');
  });

  test("a query about an unknown table, with two columns of one name, that writes, or is wrong", async () => {
    const run = (query: string) =>
      rejection(runTask(TableCopyToS3({ table: "orders", date, query }), stores));
    expect((await run("SELECT * FROM ordrs")).message).toContain('Did you mean "orders"?');
    expect((await run("SELECT id, id FROM orders")).message).toContain('called "id"');
    expect((await run("SELEC 1")).message).toContain("syntax error");
    await administer(
      url,
      `CREATE FUNCTION writes() RETURNS integer LANGUAGE sql AS 'INSERT INTO orders VALUES (0, NULL) RETURNING id'`,
    );
    expect(await run("SELECT writes() AS written")).toMatchObject({ retryable: false });
    expect(await countRows(stores.source, "orders")).toBe(100);
  });

  test("no permission: the role is told what it lacks", async () => {
    await administer(
      url,
      `CREATE ROLE nobody_${process.pid} LOGIN PASSWORD '${CANARY}'; CREATE TABLE private (id integer)`,
    );
    const weak = new URL(url);
    weak.username = `nobody_${process.pid}`;
    weak.password = CANARY;
    const error = await rejection(
      runTask(
        TableCopyToS3({ table: "private", date }),
        opened({ ...settings, sourceUrl: weak.href }),
      ),
    );
    await administer(url, `DROP ROLE nobody_${process.pid}`);
    expect(error).toBeInstanceOf(PermanentError);
    expect(error.message).toContain("permission denied");
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(CANARY);
  });

  test("a server that is down is unreachable, and named", async () => {
    const down = opened({ ...settings, sourceUrl: `postgres://me:${CANARY}@127.0.0.1:9/shop` });
    const error = await rejection(runTask(TableCopyToS3({ table: "orders", date }), down));
    expect(error).toBeInstanceOf(UnreachableError);
    expect(error.message).toContain("postgres://me@127.0.0.1:9/shop cannot be reached");
  });

  test("a password never shows: not when it is wrong, nor when the URL is, nor in the stores", async () => {
    const wrong = new URL(url);
    wrong.password = CANARY;
    const refused = openStores({ ...settings, sourceUrl: wrong.href, warehouseUrl: wrong.href });
    const shown: unknown[] = [refused.source, refused.warehouse, refused];
    const failures = [
      () => runTask(TableCopyToS3({ table: "orders", date }), refused),
      () => refused.warehouse.hasMarker("x"),
      () => refused.source.query("SELECT 1"),
    ];
    for (const failure of failures) {
      const error = await rejection(failure());
      expect(error).toBeInstanceOf(UnreachableError);
      expect(error.message).toContain("Check the user and the password");
      shown.push(error, error.cause);
    }
    await refused.close();
    for (const malformed of [`postgres://me:${CANARY}@[bad/shop`, `mysql://me:${CANARY}@h/d`]) {
      const error = await rejection(
        (async () => openStores({ sourceUrl: malformed }).source.address)(),
      );
      expect(error.message).toContain("expected postgres://");
      shown.push(error, error.cause);
    }
    for (const each of shown) {
      expect(inspect(each, { depth: 10, showHidden: true })).not.toContain(CANARY);
      expect(JSON.stringify(each) ?? "").not.toContain(CANARY);
      expect(String(each)).not.toContain(CANARY);
    }
  });
});

describe("during a load", () => {
  const table = "orders";

  beforeAll(async () => {
    await runTask(TableCopyToS3({ table, date }), stores);
    await administer(
      url,
      "CREATE TABLE kept (id integer, words text); INSERT INTO kept VALUES (7, 'old')",
    );
  });

  const kept = () => stores.warehouse.query("SELECT id, words FROM kept");
  const OLD = [{ id: 7, words: "old" }];

  test("a bad row is named by file, line and column; nothing is committed", async () => {
    await administer(
      url,
      `CREATE TYPE size AS ENUM ('S', 'M', 'L');
       CREATE TABLE shirts (id integer, size size); INSERT INTO shirts VALUES (1, 'S'), (2, 'L')`,
    );
    await runTask(TableCopyToS3({ table: "shirts", date }), stores);
    const other = await freshDatabase();
    await administer(
      other,
      `CREATE TYPE size AS ENUM ('S', 'M'); CREATE TABLE shirts (id integer, size size);
       INSERT INTO shirts VALUES (0, 'M')`,
    );
    const elsewhere = opened({ ...settings, warehouseUrl: other });
    const error = await rejection(runTask(LoadTable({ table: "shirts", date }), elsewhere));
    expect(error).toMatchObject({ code: "BAD_DATA", retryable: false });
    expect(error.message).toMatch(
      /LoadTable_\S+ on shirts: .*part-00000\.csv\.gz: COPY shirts, line 2, column size: "L"/,
    );
    expect(await elsewhere.warehouse.query("SELECT * FROM shirts")).toEqual([{ id: 0, size: "M" }]);
  });

  test("a unique violation names the key", async () => {
    await administer(
      url,
      "CREATE TABLE narrow (id integer, words text); CREATE UNIQUE INDEX ON narrow ((id % 50))",
    );
    const error = await rejection(runTask(LoadTable({ table, date, into: "narrow" }), stores));
    expect(error).toMatchObject({ code: "UNIQUE_VIOLATION", retryable: false });
    expect(error.message).toContain("already exists");
  });

  test("columns that differ are named before anything is deleted", async () => {
    await administer(
      url,
      `CREATE TABLE renamed (id integer, text text); CREATE TABLE retyped (id smallint, words text);
       CREATE TABLE longer (id integer, words text, more text); CREATE TABLE shorter (id integer);
       CREATE TABLE made (id integer, words text GENERATED ALWAYS AS ('x') STORED)`,
    );
    const problem = async (into: string) =>
      (await rejection(runTask(LoadTable({ table, date, into }), stores))).message;
    expect(await problem("renamed")).toContain(
      'column 2 is "text" in the table and "words" in the dataset',
    );
    expect(await problem("retyped")).toContain(
      '"id" is smallint in the table, which cannot hold every integer',
    );
    expect(await problem("longer")).toContain('column 3, "more", is missing in the dataset');
    expect(await problem("shorter")).toContain('column 2, "words", is missing in the table');
    expect(await problem("made")).toContain("is generated");
  });

  test("an object that was cut off or changed rolls the load back", async () => {
    const { entries } = await outputsOf(TableCopyToS3({ table, date }), stores).manifest();
    const key = entries[0]!.url.replace(/^s3:\/\/[^/]+\//, "");
    const whole = (await stores.s3.read(key))!;
    const changed = Buffer.from(whole);
    changed[changed.length - 6]! ^= 0xff;
    for (const body of [whole.subarray(0, -20), changed]) {
      await stores.s3.put(key, body);
      const error = await rejection(runTask(LoadTable({ table, date, into: "kept" }), stores));
      expect(error.message).toMatch(/part-00000\.csv\.gz/);
      expect(error).toMatchObject({ code: "DATASET_CORRUPT", retryable: false });
      expect(await kept()).toEqual(OLD);
    }
    await stores.s3.put(key, whole);
  });

  test("another number of rows than the manifest promises rolls the load back", async () => {
    const key = "dumps/orders/2026-11-21/manifest.json";
    const manifest = (await stores.s3.read(key))!.toString();
    await stores.s3.put(key, manifest.replace('"rows": 100,', '"rows": 101,'));
    const error = await rejection(runTask(LoadTable({ table, date, into: "kept" }), stores));
    expect(error).toMatchObject({ code: "ROW_COUNT_MISMATCH", retryable: false });
    expect(error.message).toContain("promises 101 rows, the warehouse took 100");
    expect(await kept()).toEqual(OLD);
    await stores.s3.put(key, manifest);
  });

  test("an abort rolls back and ends the backend", async () => {
    const task = RunSql({ sql: "DELETE FROM kept; SELECT pg_sleep(30)", table: "kept", date });
    const abort = new AbortController();
    const running = rejection(runTask(task, stores, { signal: abort.signal }));
    await sleep(300);
    abort.abort(new Error("stop"));
    expect((await running).message).toBe("stop");
    expect(await backendsOf(task)).toBe(0);
    expect(await kept()).toEqual(OLD);
  });

  test.each([
    ["cut", /cannot be reached, or the connection broke/],
    ["aborted", /^stop$/],
  ] as const)(
    "a load that is %s in the middle of its COPY leaves the old rows",
    async (how, message) => {
      await administer(
        url,
        "CREATE TABLE IF NOT EXISTS wide_copy AS SELECT 0 AS id, 'old' AS words",
      );
      const day = date.add({ days: 5 });
      const dump = TableCopyToS3({ table: "wide", date: day });
      if (!(await outputsOf(dump, stores).exists())) await runTask(dump, stores);
      const { proxy, url: through } = await proxied(url);
      const broken = opened({ ...settings, warehouseUrl: through });
      const abort = new AbortController();
      let sent = 0;
      proxy.rules = {
        onClient: (bytes, link) => {
          sent += bytes.length;
          if (sent < 2_000_000) return;
          if (how === "cut") link.cut();
          else abort.abort(new Error("stop"));
        },
      };
      const load = LoadTable({ table: "wide", date: day, into: "wide_copy" });
      const error = await rejection(runTask(load, broken, { signal: abort.signal }));
      expect(error.message).toMatch(message);
      expect(await backendsOf(load)).toBe(0);
      expect(await countRows(stores.warehouse, "wide_copy")).toBe(1);
    },
  );

  test("rows outside of the slice are refused: they would be doubled the next time", async () => {
    await administer(
      url,
      `CREATE TABLE events AS SELECT n AS id, timestamptz '2026-11-20 12:00Z' + n * interval '1 hour' AS moment
         FROM generate_series(1, 24) AS n`,
    );
    const query = "SELECT * FROM events";
    await runTask(TableCopyToS3({ table: "events", date, query }), stores);
    const load = LoadTable({ table: "events", date, query, slice: "moment", into: "sliced" });
    expect(await rejection(runTask(load, stores))).toMatchObject({ code: "ROWS_OUTSIDE_SLICE" });
    expect(await stores.warehouse.describe("sliced")).toBeUndefined();
  });
});

describe("around COMMIT", () => {
  const marked = (name: string) => ({
    task: RunSql({ sql: `INSERT INTO ledger VALUES ('${name}')`, table: "ledger", date }),
    rows: () => stores.warehouse.query(`SELECT * FROM ledger WHERE entry = '${name}'`),
  });

  beforeAll(() => administer(url, "CREATE TABLE ledger (entry text)"));

  const isCommit = (bytes: Buffer) => bytes.includes("COMMIT\0");

  test("a connection cut before COMMIT arrives: nothing happened, and the next attempt does it", async () => {
    const { proxy, url: through } = await proxied(url);
    const cut = opened({ ...settings, warehouseUrl: through });
    const { task, rows } = marked("before");
    proxy.rules = { onClient: (bytes, link) => isCommit(bytes) && link.cut() };
    const error = await rejection(runTask(task, cut));
    expect(error).toBeInstanceOf(UnreachableError);
    expect(await rows()).toEqual([]);
    proxy.rules = {};
    expect(await runTask(task, cut)).toEqual({ rows: 1 });
    expect(await rows()).toHaveLength(1);
  });

  test("a connection cut before the answer to COMMIT: the marker says that it happened", async () => {
    const { proxy, url: through } = await proxied(url);
    const cut = opened({ ...settings, warehouseUrl: through });
    const { task, rows } = marked("after");
    let committing = false;
    proxy.rules = {
      onClient: (bytes) => {
        committing ||= isCommit(bytes);
      },
      onServer: (_bytes, link) => {
        if (!committing) return true;
        committing = false;
        link.cut();
        return false;
      },
    };
    expect(await runTask(task, cut)).toEqual({ rows: 1 });
    expect(await rows()).toHaveLength(1);
  });

  test("SQL that commits by itself is refused", async () => {
    const { warehouse } = stores;
    const sql = "INSERT INTO ledger VALUES ('own'); COMMIT";
    const task = RunSql({ sql, table: "ledger", date });
    expect(await rejection(runTask(task, stores))).toMatchObject({ code: "TRANSACTION_ENDED" });
    expect(await warehouse.hasMarker(task.id)).toBe(false);
  });

  test("tasks that create the same schema at once all succeed", async () => {
    const tables = Array.from({ length: 6 }, (_, index) => `fresh.t${index}`);
    await Promise.all(
      tables.map((table) => {
        const task = RunSql({ sql: table, table, date });
        const marker = tableMarker(table).bind({
          task,
          stores,
          signal: new AbortController().signal,
          attempt: attempt(),
        });
        return stores.warehouse.atomically(marker, replaceFromSelect(table, "SELECT 1 AS one"));
      }),
    );
    for (const table of tables) expect(await countRows(stores.warehouse, table)).toBe(1);
  });

  test("replacements of one table that overlap leave the rows of one of them", async () => {
    await administer(url, "CREATE TABLE contested AS SELECT 0 AS entry");
    await Promise.all(
      Array.from({ length: 4 }, (_, index) => {
        const task = RunSql({ sql: `contested ${index}`, table: "contested", date });
        const marker = outputsOf(task, stores, { attempt: attempt() });
        const select = `SELECT ${index} AS entry FROM generate_series(1, 500)`;
        return stores.warehouse.atomically(marker, replaceFromSelect("contested", select));
      }),
    );
    expect(
      await stores.warehouse.query(
        "SELECT count(*)::int, count(DISTINCT entry)::int AS kinds FROM contested",
      ),
    ).toEqual([{ count: 500, kinds: 1 }]);
  });
});

test("short reads go on after their idle connections were ended", async () => {
  await stores.warehouse.query("SELECT 1");
  await administer(
    url,
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sluice' AND datname = current_database()",
  );
  await sleep(100);
  expect(await stores.warehouse.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
});
