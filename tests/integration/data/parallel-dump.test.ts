/** Several connections share one dump: the rows that one would have read, of one moment, or nothing. */
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { Temporal } from "temporal-polyfill";
import { beforeAll, describe, expect, test } from "vitest";
import { SluiceError } from "../../../src/core/errors.ts";
import type { OpenedStores, StoreSettings } from "../../../src/stores/open-stores.ts";
import { sessionLabel } from "../../../src/stores/postgres/address.ts";
import { tableMarker } from "../../../src/targets/table-marker.ts";
import { copyTableToS3, TableCopyToS3 } from "../../../src/tasks/copy-table-to-s3.ts";
import { loadTable } from "../../../src/tasks/load-table.ts";
import { proxied } from "../../support/proxied.ts";
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

const date = Temporal.PlainDate.from("2026-11-21");

let url: string;
let stores: OpenedStores;
let settings: StoreSettings;

beforeAll(async () => {
  ({ url, stores, settings } = await freshStores());
  await administer(
    url,
    `CREATE SCHEMA src; CREATE SCHEMA dst;
     CREATE TABLE src.wide AS SELECT n AS id, md5(n::text) || md5((n + 1)::text) AS words,
         CASE WHEN n % 10 > 0 THEN timestamptz '2026-01-01' + n * interval '1 minute' END AS at
       FROM generate_series(1, 60000) AS n;
     DELETE FROM src.wide WHERE id BETWEEN 20000 AND 45000;
     INSERT INTO src.wide VALUES (0, 'at the end', 'infinity'), (NULL, '', '-infinity');
     CREATE VIEW src.seen AS SELECT * FROM src.wide;
     CREATE TABLE src.empty (id bigint);
     CREATE TABLE src.events (day date NOT NULL, id int, words text) PARTITION BY RANGE (day);
     CREATE TABLE src."Events 1" PARTITION OF src.events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
     CREATE TABLE src.events_2 (words text, id int, day date NOT NULL);
     ALTER TABLE src.events ATTACH PARTITION src.events_2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
     CREATE TABLE src.events_3 PARTITION OF src.events FOR VALUES FROM ('2026-03-01') TO ('2026-05-01')
       PARTITION BY RANGE (day);
     CREATE TABLE src.events_3a PARTITION OF src.events_3 FOR VALUES FROM ('2026-03-01') TO ('2026-04-01');
     CREATE TABLE src.events_3b PARTITION OF src.events_3 FOR VALUES FROM ('2026-04-01') TO ('2026-05-01');
     INSERT INTO src.events SELECT date '2026-01-01' + n % 80, n, md5(n::text)
       FROM generate_series(1, 20000) AS n;
     CREATE TABLE src.parent AS SELECT n AS id FROM generate_series(1, 3000) AS n;
     CREATE TABLE src.child () INHERITS (src.parent);
     INSERT INTO src.child SELECT n FROM generate_series(1, 9000) AS n`,
  );
});

async function rejection(work: Promise<unknown>): Promise<SluiceError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof SluiceError) return error;
    throw error;
  }
  throw new Error("it did not fail");
}

let loads = 0;

/** The rows in which a dump, once loaded, and `original` differ. */
async function differences(
  task: ReturnType<typeof TableCopyToS3>,
  original: string,
): Promise<Record<string, unknown>[]> {
  const copy = `dst.copy_${++loads}`;
  const signal = new AbortController().signal;
  const marker = tableMarker(copy).bind({ task, stores, attempt: attempt(), signal });
  await stores.warehouse.atomically(marker, loadTable(copy, outputsOf(task, stores)));
  return await administer(
    url,
    `(SELECT * FROM ${original} EXCEPT ALL SELECT * FROM ${copy})
     UNION ALL (SELECT * FROM ${copy} EXCEPT ALL SELECT * FROM ${original})`,
  );
}

const query = "SELECT id, words, at FROM src.wide WHERE words LIKE '%a%';";

test.each([
  ["a table", { table: "src.wide", connections: 3 }, "src.wide"],
  ["an empty table", { table: "src.empty", connections: 3 }, "src.empty"],
  ["a table that others inherit from", { table: "src.parent", connections: 2 }, "src.parent"],
  ["a partitioned table", { table: "src.events", connections: 3 }, "src.events"],
  ["a view, by numbers", { table: "src.seen", connections: 4, splitBy: "id" }, "src.seen"],
  ["a table, by timestamps", { table: "src.wide", connections: 3, splitBy: "at" }, "src.wide"],
  ["a table, by dates", { table: "src.events", connections: 3, splitBy: "day" }, "src.events"],
  [
    "a query, by numbers",
    { table: "src.wide", query, connections: 3, splitBy: "id" },
    `(${query.slice(0, -1)}) AS query`,
  ],
])("%s, shared by several connections, has the same rows", async (_name, params, original) => {
  const day = date.add({ days: loads });
  const task = TableCopyToS3({ ...params, date: day });
  const [count] = await administer(url, `SELECT count(*)::int AS rows FROM ${original}`);
  expect(await runTask(task, stores)).toMatchObject({ rows: count?.["rows"] });
  expect(await differences(task, original)).toEqual([]);
});

test("the number of connections is no part of the task's id", () => {
  const task = TableCopyToS3({ table: "src.wide", date });
  expect(TableCopyToS3({ table: "src.wide", date, connections: 4, splitBy: "id" }).id).toBe(
    task.id,
  );
});

test.each([
  [{ table: "src.seen", connections: 2 }, /src\.seen is no ordinary .*name a column to split by/],
  [{ table: "src.wide", query, connections: 2 }, /a query has no pages: name a column/],
  [
    { table: "src.wide", connections: 2, splitBy: "words" },
    /"words" is text: split by a column of/,
  ],
  [{ table: "src.wide", connections: 2, splitBy: "Id" }, /there is no column "Id"/],
])("what several connections cannot share is refused: %j", async (params, message) => {
  const error = await rejection(runTask(TableCopyToS3({ ...params, date }), stores));
  expect(error).toMatchObject({ code: "CANNOT_SPLIT" });
  expect(error.message).toMatch(message);
});

test("privileges are those of the table, not of its partitions", async () => {
  await administer(
    url,
    `CREATE TABLE src.guarded (id int) PARTITION BY RANGE (id);
     CREATE TABLE src.guarded_1 PARTITION OF src.guarded FOR VALUES FROM (0) TO (10);
     INSERT INTO src.guarded VALUES (1), (2);
     ALTER TABLE src.guarded ENABLE ROW LEVEL SECURITY;
     DROP ROLE IF EXISTS sluice_reader; CREATE ROLE sluice_reader LOGIN PASSWORD 'reader';
     GRANT USAGE ON SCHEMA src TO sluice_reader;
     GRANT SELECT ON src.guarded, src.guarded_1 TO sluice_reader`,
  );
  const reader = new URL(url);
  reader.username = "sluice_reader";
  reader.password = "reader";
  const task = TableCopyToS3({ table: "src.guarded", date, connections: 2 });
  const error = await rejection(runTask(task, opened({ ...settings, sourceUrl: reader.href })));
  expect(error.message).toContain("row-level security");
  await administer(url, "DROP OWNED BY sluice_reader; DROP ROLE sluice_reader");
});

/** Waits until so many sessions of the task are open. */
async function sessionsOf(task: { readonly id: string }, expected: number): Promise<void> {
  for (let wait = 0; wait < 200; wait++) {
    const rows = await administer(
      url,
      `SELECT 1 FROM pg_stat_activity WHERE application_name = '${sessionLabel(task.id)}'`,
    );
    if (rows.length === expected) return;
    await sleep(25);
  }
  throw new Error(`there are not ${expected} sessions of ${task.id}`);
}

describe("while others write", () => {
  test("all connections see one moment: money on its way is neither lost nor doubled", async () => {
    await administer(
      url,
      `CREATE TABLE src.accounts AS
         SELECT n AS id, 100 AS balance, repeat('x', 300) AS padding FROM generate_series(1, 20000) AS n;
       ALTER TABLE src.accounts ADD PRIMARY KEY (id)`,
    );
    const task = TableCopyToS3({ table: "src.accounts", date, connections: 3 });
    const writer = new Client({ connectionString: url });
    await writer.connect();
    const written = { moves: 0, go: true };
    const moveMoney = async () => {
      while (written.go) {
        await writer.query(
          `UPDATE src.accounts SET balance = balance + CASE WHEN id % 2 = 0 THEN 7 ELSE -7 END
             WHERE id IN (${(written.moves * 2) % 20000} + 1, 20000 - ${(written.moves * 2) % 20000})`,
        );
        written.moves++;
      }
    };
    const moving = moveMoney();
    while (written.moves < 50) await sleep(5);
    const before = written.moves;
    const output = outputsOf(task, stores, { attempt: attempt() });
    await copyTableToS3(stores.source, "src.accounts", output, {
      connections: 3,
      fileBytes: 200_000,
    });
    written.go = false;
    await moving;
    await writer.end();
    expect(written.moves).toBeGreaterThan(before);
    await differences(task, "src.accounts");
    expect(
      await administer(
        url,
        `SELECT count(*)::int AS rows, count(DISTINCT id)::int AS accounts, sum(balance)::int AS money
         FROM dst.copy_${loads}`,
      ),
    ).toEqual([{ rows: 20000, accounts: 20000, money: 2_000_000 }]);
  });

  test("a TRUNCATE waits for all of them", async () => {
    await administer(url, "CREATE TABLE src.short AS SELECT * FROM src.wide");
    const task = TableCopyToS3({ table: "src.short", date, connections: 3 });
    const output = outputsOf(task, stores, { attempt: attempt() });
    let truncated: Promise<unknown> | undefined;
    await copyTableToS3(stores.source, "src.short", output, {
      connections: 3,
      fileBytes: 200_000,
      progress: () => {
        truncated ??= administer(url, "TRUNCATE src.short");
      },
    });
    await truncated;
    expect(await differences(task, "src.wide")).toEqual([]);
    expect(await administer(url, "SELECT * FROM src.short")).toEqual([]);
  });
});

describe("when one of them breaks", () => {
  test("a connection that is cut ends the others on the server; the rerun has every row", async () => {
    const { proxy, url: through } = await proxied(url);
    const cut = opened({ ...settings, sourceUrl: through });
    const task = TableCopyToS3({
      table: "src.wide",
      date: date.add({ months: 1 }),
      connections: 3,
    });
    const output = outputsOf(task, cut, { attempt: attempt() });
    let cuts = 0;
    proxy.rules = {
      onServer: (bytes, link) => {
        // The first one whose rows come.
        if (cuts > 0 || bytes.length < 5_000) return true;
        cuts++;
        link.cut();
        return false;
      },
    };
    const dump = copyTableToS3(cut.source, "src.wide", output, { connections: 3 });
    expect((await rejection(dump)).message).toContain("dump of src.wide");
    expect(cuts).toBe(1);
    await sessionsOf(task, 0);
    expect(await output.exists()).toBe(false);
    expect(await keysOf(stores, "dumps/src.wide/2026-12-21/")).toEqual([]);
    expect(await openUploads(stores)).toEqual([]);

    expect(await runTask(task, stores)).toMatchObject({ rows: 35001 });
    expect(await differences(task, "src.wide")).toEqual([]);
  });

  test("a backend that is ended fails the attempt", async () => {
    const task = TableCopyToS3({
      table: "src.wide",
      date: date.add({ months: 2 }),
      connections: 3,
    });
    const output = outputsOf(task, stores, { attempt: attempt() });
    let ended: Promise<unknown> | undefined;
    const dump = copyTableToS3(stores.source, "src.wide", output, {
      connections: 3,
      fileBytes: 100_000,
      lanes: 1,
      progress: () => {
        ended ??= administer(
          url,
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE application_name = '${sessionLabel(task.id)}' AND query LIKE 'COPY%' LIMIT 1`,
        );
      },
    });
    await rejection(dump);
    await ended;
    await sessionsOf(task, 0);
    expect(await output.exists()).toBe(false);
  });

  test("an abort ends all of them", async () => {
    const task = TableCopyToS3({ table: "src.wide", date: date.add({ months: 3 }) });
    const abort = new AbortController();
    const { signal } = abort;
    const output = outputsOf(task, stores, { attempt: attempt(), signal });
    const dump = copyTableToS3(stores.source, "src.wide", output, {
      connections: 3,
      fileBytes: 100_000,
      signal,
      progress: () => abort.abort(new Error("stop")),
    });
    await expect(dump).rejects.toThrow("stop");
    await sessionsOf(task, 0);
    expect(await openUploads(stores)).toEqual([]);
  });
});

test("what `sluice sql` prints is what all sessions send", async () => {
  const { proxy, url: through } = await proxied(url);
  const watched = opened({ ...settings, sourceUrl: through });
  for (const params of [
    { table: "src.wide", connections: 3 },
    { table: "src.wide", query, connections: 2, splitBy: "id" },
  ]) {
    const task = TableCopyToS3({ ...params, date: date.add({ years: 1 }) });
    const signal = new AbortController().signal;
    const printed = await task.family.sql?.({
      task,
      params: task.params,
      input: undefined,
      output: outputsOf(task, stores),
      source: stores.source,
      warehouse: stores.warehouse,
      s3: stores.s3,
      signal,
    });
    const sent: Buffer[] = [];
    proxy.rules = { onClient: (bytes) => sent.push(Buffer.from(bytes)) };
    await runTask(task, watched);
    proxy.rules = {};
    const statements = sent
      .flatMap(simpleQueries)
      .filter((sql) => !LOOKS.test(sql))
      .map((sql) => sql.replace(/(SET TRANSACTION SNAPSHOT ').*'/, "$1(its answer)'"));
    expect(statements.toSorted()).toEqual([...(printed ?? [])].toSorted());
    expect(statements.filter((sql) => sql.startsWith("COPY")).length).toBeGreaterThan(1);
  }
});

/** Looks at the catalog change nothing and are not printed. */
const LOOKS = /pg_backend_pid|txid_current_snapshot|LIMIT 0$|server_version_num/;

/** Of what was sent at once: simple-protocol statements, each in one piece. */
function simpleQueries(bytes: Buffer): string[] {
  if (bytes[0] !== 0x51) return [];
  return [bytes.toString("utf8", 5, bytes.readUInt32BE(1))];
}
