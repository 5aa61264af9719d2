/** What every source promises to those who dump from it. */
import { Socket } from "node:net";
import { Client } from "pg";
import { beforeAll, expect, test } from "vitest";
import type { Block, CopyOutRequest } from "../../../src/core/stores.ts";
import type { OpenedStores } from "../../../src/stores/open-stores.ts";
import { openStores } from "../../../src/stores/open-stores.ts";
import { CopyOutReader } from "../../../src/stores/postgres/copy-out.ts";
import { WireSocket } from "../../../src/stores/postgres/wire-socket.ts";
import { administer, freshStores } from "../../integration/data/data-stores.ts";

let url: string;
let stores: OpenedStores;

beforeAll(async () => {
  ({ url, stores } = await freshStores());
  await administer(
    url,
    `CREATE TABLE pairs AS SELECT n AS id, 'w' || n AS words, repeat('x', 200) AS padding
       FROM generate_series(1, 50000) AS n`,
  );
});

async function blocksOf(request: CopyOutRequest): Promise<Block[]> {
  return await stores.source.copyOut(request, async ({ blocks }) => await blocks.toArray());
}

test("the address is without a password", () => {
  expect(stores.source.address).toMatch(/^postgres:\/\/[^:@]+@[\d.]+:\d+\/test_\w+$/);
});

test("blocks hold whole rows, and count them", async () => {
  const blocks = await blocksOf({ from: { table: "pairs" }, nullText: "@NULL@" });
  expect(blocks.length).toBeGreaterThan(1);
  for (const { buffer, rows } of blocks) {
    const text = buffer.toString();
    expect(text.endsWith("\n")).toBe(true);
    expect(text.trimEnd().split("\n")).toHaveLength(rows);
  }
  const all = Buffer.concat(blocks.map(({ buffer }) => buffer)).toString();
  const padding = "x".repeat(200);
  expect(all.split("\n").slice(0, 2)).toEqual([`1,"w1","${padding}"`, `2,"w2","${padding}"`]);
  expect(blocks.reduce((sum, { rows }) => sum + rows, 0)).toBe(50000);
});

test("rows of any length come whole, also where the socket's bytes have to be copied, as with TLS", async () => {
  // Around the 64 KB of a read and the 256 KB of a block, each followed by rows of every short length.
  const sql = `COPY (
    SELECT repeat('a', long + short) FROM unnest(ARRAY[0, 65000, 262000, 700000]) AS long,
      generate_series(1, 300) AS short WHERE long = 0 OR short < 5) TO STDOUT WITH (FORMAT csv)`;
  const lengths = [0, 65000, 262000, 700000].flatMap((long) =>
    Array.from({ length: long === 0 ? 300 : 4 }, (_, short) => long + short + 1),
  );
  for (const stream of [() => new WireSocket(), () => new Socket()]) {
    const client = new Client({ connectionString: url, stream });
    await client.connect();
    // Twice, as a session that takes one share of a dump after the other.
    for (const _share of [1, 2]) {
      const blocks: Block[] = await client.query(new CopyOutReader(sql)).toArray();
      const rows = Buffer.concat(blocks.map(({ buffer }) => buffer))
        .toString()
        .split("\n");
      expect(rows.pop()).toBe("");
      expect(rows.map((row) => row.replaceAll("a", "").length)).toEqual(lengths.map(() => 0));
      expect(rows.map((row) => row.length)).toEqual(lengths);
      expect(blocks.reduce((sum, block) => sum + block.rows, 0)).toBe(lengths.length);
    }
    expect((await client.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
    await client.end();
  }
});

test("a slow reader holds the server back: blocks do not pile up", async () => {
  await stores.source.copyOut({ from: { table: "pairs" }, nullText: "" }, async ({ blocks }) => {
    await new Promise((done) => setTimeout(done, 300));
    expect(blocks.readableLength).toBeLessThanOrEqual(4);
    for await (const _block of blocks) expect(blocks.readableLength).toBeLessThanOrEqual(4);
  });
});

test("a reader that fails ends the statement on the server, and gives its own error", async () => {
  const failure = new Error("the reader failed");
  const request = { from: { table: "pairs" }, nullText: "", label: "failing-reader" };
  const copy = stores.source.copyOut(request, async ({ blocks }) => {
    for await (const _block of blocks) throw failure;
  });
  await expect(copy).rejects.toBe(failure);
  const open = await administer(
    url,
    "SELECT 1 FROM pg_stat_activity WHERE application_name = 'failing-reader'",
  );
  expect(open).toEqual([]);
});

test("a reader that stops in the middle without an error has not copied", async () => {
  const request = { from: { table: "pairs" }, nullText: "" };
  const copy = stores.source.copyOut(request, async ({ blocks }) => {
    for await (const _block of blocks) break;
  });
  await expect(copy).rejects.toMatchObject({ code: "COPY_UNREAD" });
});

test("several copies at once do not disturb each other", async () => {
  const counts = await Promise.all(
    [1, 10, 100, 1000].map(async (limit) => {
      const query = `SELECT * FROM pairs ORDER BY id LIMIT ${limit}`;
      const blocks = await blocksOf({ from: { query }, nullText: "" });
      return blocks.reduce((sum, { rows }) => sum + rows, 0);
    }),
  );
  expect(counts).toEqual([1, 10, 100, 1000]);
});

test("columns are described in order, with types and what is generated", async () => {
  await administer(
    url,
    "CREATE TABLE made (id integer, twice integer GENERATED ALWAYS AS (id * 2) STORED, at timestamptz(3))",
  );
  expect(await stores.source.describe("made")).toEqual([
    { name: "id", pgType: "integer", generated: false },
    { name: "twice", pgType: "integer", generated: true },
    { name: "at", pgType: "timestamp(3) with time zone", generated: false },
  ]);
  await expect(stores.source.describe("mdae")).rejects.toMatchObject({ code: "UNKNOWN_TABLE" });
});

test("reading rows with values; an abort ends the statement", async () => {
  expect(await stores.source.query("SELECT $1::int + 1 AS next", [41])).toEqual([{ next: 42 }]);
  const abort = new AbortController();
  setTimeout(() => abort.abort(new Error("stop")), 200);
  const { signal } = abort;
  const sleep = stores.source.query("SELECT pg_sleep(20)", [], { signal });
  await expect(sleep).rejects.toThrow("stop");
});

test("stores that are not configured are an error only for who asks", async () => {
  const none = openStores({ warehouseUrl: url });
  expect(none.warehouse.address).toContain("postgres://");
  expect(() => none.source).toThrow("no source is configured: set SOURCE_URL");
  expect(() => none.s3).toThrow("set SLUICE_BUCKET");
  await none.close();
});
