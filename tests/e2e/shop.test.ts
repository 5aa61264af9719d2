/** The sample shop, run as in production: by `sluice run` here and worker processes there. */
import { Temporal } from "temporal-polyfill";
import { expect, test } from "vitest";
import { seedShop } from "../../examples/shop/seed.ts";
import { sluice, startSluice } from "./support/command.ts";
import { freshPlace, type Place } from "./support/place.ts";
import { summaryOf } from "./support/summary.ts";
import { tasksIn } from "./support/worker-log.ts";

const CONFIG = { SLUICE_CONFIG: "examples/shop/sluice.config.ts" };
const date = Temporal.Now.plainDateISO("UTC").subtract({ days: 1 });
const task = ["AllTasks", "--date", date.toString()];

async function seededPlace(): Promise<Place> {
  const place = await freshPlace();
  await seedShop({ sourceUrl: place.env["SOURCE_URL"] ?? "", date });
  return place;
}

function startWorkers(place: Place, ...queues: readonly (readonly string[])[]) {
  return queues.map((args) =>
    startSluice(["worker", ...args], { env: { ...place.env, ...CONFIG } }),
  );
}

/** Every column of every row, in any order of rows. */
const contents = (table: string, where: string) =>
  `SELECT count(*)::int AS rows, sum(hashtextextended(t::text, 0))::text AS hash FROM ${table} t WHERE ${where}`;

const during = (moment: string, days = 1) =>
  `${moment} >= '${date.subtract({ days: days - 1 })}T00:00Z' AND ${moment} < '${date.add({ days: 1 })}T00:00Z'`;

/** What a run for one date brings into the warehouse. */
const LOADED: readonly (readonly [table: string, where: string])[] = [
  ["customers", "true"],
  ["products", "true"],
  ["orders", during("ordered_at")],
  ["order_items", during("ordered_at")],
  ["payments", during("paid_at")],
  ["events", during("happened_at", 3)],
];

test("two workers bring yesterday into the warehouse; the second run does nothing", async () => {
  const place = await seededPlace();
  const workers = startWorkers(place, ["--queues", "copy"], ["--queues", "load,sql,default"]);
  const env = { ...place.env, ...CONFIG };
  const first = await sluice(["run", ...task, "--json"], env);
  expect(first).toMatchObject({ code: 0 });
  const { status, tasks, rows } = summaryOf(first);
  expect(status).toBe("done");
  expect(tasks).toEqual({ done: tasks.ran, ran: tasks.ran, complete: 0, failed: 0, pending: 0 });
  expect(tasks.ran).toBeGreaterThanOrEqual(24);
  expect(rows).toBeGreaterThan(10_000);

  for (const [table, where] of LOADED) {
    const [source] = await place.source(contents(`shop.${table}`, where));
    expect(source?.["rows"]).toBeGreaterThan(0);
    expect({ table, found: await place.warehouse(contents(`landing.${table}`, where)) }).toEqual({
      table,
      found: [source],
    });
  }
  const [mart] = await place.warehouse(
    `SELECT sum(amount) AS amount FROM mart.daily_revenue WHERE day = '${date}'`,
  );
  const [shop] = await place.source(
    `SELECT sum(quantity * price - coalesce(discount, 0)) AS amount
     FROM shop.order_items i JOIN shop.orders o ON o.id = i.order_id
     WHERE ${during("o.ordered_at")} AND status <> 'cancelled'`,
  );
  expect(mart).toEqual(shop);

  // Each queue's tasks ran in the process that listens to it.
  const [copier, others] = workers.map((worker) => tasksIn("task:started", [worker]));
  expect(copier?.every((name) => /^(DumpDay|TableCopyToS3)\(/.test(name))).toBe(true);
  expect(others?.some((name) => /^(DumpDay|TableCopyToS3)\(/.test(name))).toBe(false);

  const second = await sluice(["run", ...task, "--json"], env);
  expect(second.code).toBe(0);
  expect(second.stderr).toContain("Did not run any tasks");
  const again = summaryOf(second);
  expect(again).toMatchObject({
    status: "done",
    tasks: { done: tasks.done, ran: 0, complete: tasks.done, failed: 0, pending: 0 },
    rows: 0,
  });
  expect(again.seconds).toBeLessThan(2);
  expect(tasksIn("task:started", workers)).toHaveLength(tasks.ran - 1);
});

test("two runs of AllTasks at the same moment: every task ran once", async () => {
  const place = await seededPlace();
  const workers = startWorkers(place, [], []);
  await Promise.all(workers.map((worker) => worker.says(/"working"/)));
  const env = { ...place.env, ...CONFIG };
  const runs = await Promise.all([
    sluice(["run", ...task, "--json"], env),
    sluice(["run", ...task, "--json"], env),
  ]);
  const done = runs.map((run) => {
    expect(run.code).toBe(0);
    const { status, tasks } = summaryOf(run);
    expect({ status, failed: tasks.failed }).toEqual({ status: "done", failed: 0 });
    return tasks.done;
  });
  expect(done[0]).toBe(done[1]);
  const started = tasksIn("task:started", workers);
  expect(started.toSorted()).toEqual([...new Set(started)].toSorted());
  expect(tasksIn("task:succeeded", workers).toSorted()).toEqual(started.toSorted());
  // All but the wrapper, which has nothing to run.
  expect(started).toHaveLength((done[0] ?? 0) - 1);
  const [twice] = await place.warehouse(
    "SELECT count(*)::int AS rows, count(DISTINCT update_id)::int AS tasks FROM table_updates",
  );
  expect(twice?.["rows"]).toBe(twice?.["tasks"]);
});
