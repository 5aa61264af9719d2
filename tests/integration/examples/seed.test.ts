/** The shop's database: the same for a date, whole or not there, and nobody else's. */
import { Client } from "pg";
import { Temporal } from "temporal-polyfill";
import { afterEach, beforeEach, expect, test } from "vitest";
import { seedShop } from "../../../examples/shop/seed.ts";
import { freshDatabase } from "../../support/services.ts";

const date = Temporal.PlainDate.from("2026-11-21");
const TABLES = ["customers", "products", "orders", "order_items", "payments", "events"];

let sourceUrl: string;
let client: Client;

beforeEach(async () => {
  sourceUrl = await freshDatabase();
  client = new Client({ connectionString: sourceUrl });
  await client.connect();
});

afterEach(async () => {
  await client.end();
});

async function query(sql: string): Promise<Record<string, unknown>[]> {
  return (await client.query(sql)).rows;
}

/** Rows and checksum of each table. */
async function contents(): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const table of TABLES) {
    const sums = `SELECT count(*)::int AS rows, sum(hashtextextended(t::text, 0)) AS sum FROM shop.${table} t`;
    found.push(...(await query(sums)));
  }
  return found;
}

test("a date has always the same rows; another date replaces them, but not the days of both", async () => {
  const both = await Promise.all([seedShop({ sourceUrl, date }), seedShop({ sourceUrl, date })]);
  expect(both.filter(({ seeded }) => seeded)).toHaveLength(1);
  const [{ tables, rows }] = both;
  expect(tables).toBe(6);
  expect(rows).toBeGreaterThan(45_000);
  const first = await contents();

  // Nothing is made again for the date that is there.
  await query("DELETE FROM shop.payments");
  expect(await seedShop({ sourceUrl, date })).toEqual({ tables, rows, seeded: false });
  expect(await query("SELECT 1 FROM shop.payments")).toEqual([]);

  const day = "SELECT * FROM shop.orders WHERE ordered_at::date = '2026-11-18' ORDER BY id";
  const shared = await query(day);
  expect(shared.length).toBeGreaterThan(600);
  const next = await seedShop({ sourceUrl, date: date.add({ days: 1 }) });
  expect(next.seeded).toBe(true);
  expect(await query(day)).toEqual(shared);
  const span =
    "SELECT min(ordered_at)::text AS first, max(ordered_at)::text AS last FROM (SELECT ordered_at AT TIME ZONE 'UTC' AS ordered_at FROM shop.orders) AS o";
  expect(await query(span)).toEqual([
    { first: "2026-11-16 00:00:00", last: "2026-11-22 23:59:59.999999" },
  ]);
  expect(await contents()).not.toEqual(first);

  await seedShop({ sourceUrl, date });
  expect(await contents()).toEqual(first);
});

test("a schema named shop that is somebody else's is left alone", async () => {
  await query("CREATE SCHEMA shop; CREATE TABLE shop.orders (id int)");
  await expect(seedShop({ sourceUrl, date })).rejects.toThrow(
    "the source database has a schema named shop that the sample did not make",
  );
  expect(await query("SELECT id FROM shop.orders")).toEqual([]);
});
