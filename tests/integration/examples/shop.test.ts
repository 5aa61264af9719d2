/** The sample pipeline on real Redis, Postgres and S3: what `npm run demo` runs, in this process. */
import { Client } from "pg";
import { Temporal } from "temporal-polyfill";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type DayOfTable, dayOf, during, MOMENT } from "../../../examples/shop/days.ts";
import { seedShop } from "../../../examples/shop/seed.ts";
import shop from "../../../examples/shop/sluice.config.ts";
import { AllTasks, CheckDay, LoadDay } from "../../../examples/shop/tasks.ts";
import type { Failure } from "../../../src/core/events.ts";
import type { Task } from "../../../src/core/task.ts";
import { type OpenedStores, openStores } from "../../../src/stores/open-stores.ts";
import { pipeline, statesOf } from "../../support/pipeline.ts";
import { freshBucket, freshDatabase } from "../../support/services.ts";

// The shop asks, when it is loaded, which warehouse it has: here it is Postgres.
vi.hoisted(() => {
  process.env["WAREHOUSE_URL"] = "postgres:";
});

const yesterday = Temporal.PlainDate.from("2026-11-21");
const daysBefore = (days: number) => yesterday.subtract({ days });

let sourceUrl: string;
let warehouseUrl: string;
let stores: OpenedStores;

beforeAll(async () => {
  [sourceUrl, warehouseUrl] = await Promise.all([freshDatabase(), freshDatabase()]);
  stores = openStores({ sourceUrl, warehouseUrl, s3: await freshBucket() });
  await seedShop({ sourceUrl, date: yesterday });
});

afterAll(async () => {
  await stores.close();
});

/** A worker on an own Redis prefix, and what it has run. */
async function startShop() {
  const line = await pipeline([...shop.families.values()], {}, stores);
  const started: string[] = [];
  const failures: Failure[] = [];
  line.events.on("task:started", ({ task }) => void started.push(task.name));
  line.events.on("task:failed", ({ error }) => void failures.push(error));
  await line.work();
  const run = async (root: Task) => statesOf(await line.run(root));
  return { run, started, failures };
}

/** Runs SQL as somebody who has nothing to do with the pipeline would. */
async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Every column of every row as text: NULL and the empty string differ. */
const allOf = (table: string, where = "true") =>
  `SELECT t::text AS row FROM ${table} AS t WHERE ${where} ORDER BY t::text COLLATE "C"`;

async function expectLoaded(table: string, where: string, atLeast = 1): Promise<void> {
  const inShop = await query(sourceUrl, allOf(`shop.${table}`, where));
  expect(inShop.length).toBeGreaterThanOrEqual(atLeast);
  expect(await query(warehouseUrl, allOf(`landing.${table}`, where))).toEqual(inShop);
}

const isDay = (table: DayOfTable["table"], date: Temporal.PlainDate, daysBack = 0) =>
  during(MOMENT[table], dayOf({ table, date, daysBack }));

test("yesterday's run completes, and what is loaded equals the shop; a second run runs nothing", async () => {
  const { run, started } = await startShop();
  const states = await run(AllTasks({ date: yesterday }));
  expect(Object.values(states)).toEqual(Array.from({ length: 32 }, () => "complete"));
  // The wrapper has nothing to run.
  expect(new Set(started).size).toBe(31);
  expect(started).toHaveLength(31);

  await run(AllTasks({ date: yesterday }));
  expect(started).toHaveLength(31);

  await expectLoaded("customers", "true", 2_000);
  await expectLoaded("products", "true", 300);
  await expectLoaded("orders", isDay("orders", yesterday), 600);
  await expectLoaded("order_items", isDay("order_items", yesterday), 1_200);
  await expectLoaded("payments", isDay("payments", yesterday), 500);
  await expectLoaded("events", isDay("events", yesterday), 4_000);
  await expectLoaded("events", isDay("events", yesterday, 1), 4_000);
  await expectLoaded("events", isDay("events", yesterday, 2), 0);
});

test("the marts agree with the shop", async () => {
  const [revenue] = await query(
    warehouseUrl,
    "SELECT sum(orders)::int AS orders, sum(amount)::text AS amount FROM mart.daily_revenue",
  );
  const [truth] = await query(
    sourceUrl,
    `SELECT count(DISTINCT o.id)::int AS orders, sum(quantity * price - coalesce(discount, 0))::text AS amount
     FROM shop.orders o JOIN shop.order_items i ON i.order_id = o.id
     WHERE o.status <> 'cancelled' AND ${during("o.ordered_at", yesterday)}`,
  );
  expect(revenue).toEqual(truth);
  const value =
    "SELECT sum(orders)::int AS orders, sum(amount)::text AS amount FROM mart.customer_value";
  expect(await query(warehouseUrl, value)).toEqual([truth]);
  const events = await query(
    warehouseUrl,
    "SELECT day::text, events > 0 AS any FROM mart.events_daily ORDER BY day",
  );
  expect(events).toEqual([
    { day: "2026-11-19", any: false },
    { day: "2026-11-20", any: true },
    { day: "2026-11-21", any: true },
  ]);
});

test("a backfill of two dates at once leaves every other date as it was", async () => {
  const sales = `SELECT * FROM mart.fct_orders WHERE day = '${yesterday}' ORDER BY order_id`;
  const before = await query(warehouseUrl, sales);
  const { run } = await startShop();
  const dates = [daysBefore(1), daysBefore(3)];
  const runs = await Promise.all(dates.map((date) => run(AllTasks({ date }))));
  for (const states of runs) expect(new Set(Object.values(states))).toEqual(new Set(["complete"]));
  for (const date of [yesterday, ...dates]) {
    await expectLoaded("orders", isDay("orders", date), 600);
    await expectLoaded("order_items", isDay("order_items", date), 1_200);
  }
  expect(before.length).toBeGreaterThan(600);
  expect(await query(warehouseUrl, sales)).toEqual(before);
  const days = "SELECT DISTINCT day::text FROM mart.daily_revenue ORDER BY day";
  expect(await query(warehouseUrl, days)).toEqual(
    ["2026-11-18", "2026-11-20", "2026-11-21"].map((day) => ({ day })),
  );
});

test("a price that cannot be stops the marts, and the check says which", async () => {
  const date = daysBefore(4);
  const [item] = await query(
    sourceUrl,
    `UPDATE shop.order_items SET price = -5, discount = NULL
     WHERE (order_id, line) = (SELECT order_id, line FROM shop.order_items
       WHERE ${isDay("order_items", date)} ORDER BY order_id DESC LIMIT 1) RETURNING order_id`,
  );
  const { run, failures } = await startShop();
  const states = await run(AllTasks({ date }));
  expect(states).toMatchObject({
    [`CheckAmounts(date=${date})`]: "failed",
    [`FctOrders(date=${date})`]: "blocked",
    [`EventsDaily(date=${date})`]: "complete",
    [`AllTasks(date=${date})`]: "blocked",
  });
  expect(failures).toMatchObject([
    {
      code: "RULE_BROKEN",
      message: `landing.order_items on 2026-11-17: "price >= 0" is not true of 1 rows, first of order ${String(item?.order_id)}. Correct the shop, then dump and load the day again.`,
    },
  ]);
  const built = `SELECT 1 FROM mart.fct_orders WHERE day = '${date}'`;
  expect(await query(warehouseUrl, built)).toEqual([]);
});

test("a row that is gone from the warehouse fails the check of its day", async () => {
  const { run, failures } = await startShop();
  const payments = { table: "payments", date: daysBefore(5) } as const;
  await run(LoadDay(payments));
  const where = isDay("payments", payments.date);
  const [count] = await query(
    sourceUrl,
    `SELECT count(*)::int AS rows FROM shop.payments WHERE ${where}`,
  );
  await query(
    warehouseUrl,
    `DELETE FROM landing.payments WHERE id = (SELECT id FROM landing.payments WHERE ${where} LIMIT 1)`,
  );
  await run(CheckDay(payments));
  const rows = Number(count?.rows);
  expect(failures.map(({ message }) => message)).toEqual([
    `payments where ${where}: ${rows} rows in the shop, ${rows} in the dump, ${rows - 1} in the warehouse. Dump and load it again.`,
  ]);
});
