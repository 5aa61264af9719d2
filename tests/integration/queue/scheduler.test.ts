/** Scheduler processes with a clock of seconds: yesterday's root, once, until it is complete. */
import { expect, test } from "vitest";
import { SCHEDULE_QUEUE, startScheduler } from "../../../src/queue/scheduler.ts";
import { pipeline } from "../../support/pipeline.ts";
import { startChild } from "../../support/processes.ts";
import { keyPrefix, redisUrl } from "../../support/services.ts";
import { familiesOn, type Orders, projectOf, yesterdayThere } from "./children/families.ts";

async function setting() {
  const ledgerUrl = await redisUrl();
  const place = { ledgerUrl, ledger: keyPrefix() };
  const tasks = familiesOn(place);
  const line = await pipeline(tasks.families);
  const orders = { ...place, engineUrl: ledgerUrl, prefix: line.engine.keys.prefix };
  const start = (role: string, more: Partial<Orders> = {}) =>
    startChild(new URL(`children/${role}.ts`, import.meta.url), { ...orders, ...more });
  return { ...tasks, line, orders, start };
}

const often = { pattern: "*/2 * * * * *", again: "1s" };

test("two schedulers and three workers, one late: yesterday runs once, a failure passes at a later tick", async () => {
  const { line, ledger, Daily, start } = await setting();
  const before = yesterdayThere();
  const [one, two, first, second] = await Promise.all([
    start("scheduler", often),
    start("scheduler", often),
    start("worker", { concurrency: 2 }),
    start("worker", { concurrency: 2 }),
  ]);
  const late = await start("worker", { concurrency: 2 });
  const root = Daily({ date: before });
  const isComplete = () => line.engine.redis.exists(line.engine.keys.done(root.id));
  await expect.poll(isComplete, { timeout: 30_000 }).toBe(1);

  expect(await ledger.count(`flaky-runs-${before}`)).toBe(2);
  const runs = await Promise.all(
    Array.from({ length: 20 }, (_, n) => ledger.count(`steady-runs-${before}-${n}`)),
  );
  expect(runs).toEqual(runs.map(() => 1));
  const workers = new Set((await ledger.notes()).map((note) => note.split(" by ").at(-1)));
  expect([first, second, late].map(({ pid }) => String(pid))).toEqual(
    expect.arrayContaining([...workers]),
  );
  for (const child of [one, two, first, second, late]) child.signal("SIGTERM");
  for (const { ended } of [one, two, first, second, late]) {
    expect(await ended).toEqual({ by: "0", errors: "" });
  }
  ledger.redis.disconnect();
});

test("an unchanged restart keeps an overdue run; its date comes from when it was due", async () => {
  const { line, ledger, orders, Daily } = await setting();
  const queue = line.engine.queue(SCHEDULE_QUEUE);
  const asked: string[] = [];
  const startWith = (pattern: string, again = "1d") =>
    startScheduler(
      { ...line, project: projectOf({ ...orders, pattern, again }) },
      {
        onTick: (_, { root }) => void asked.push(root.name),
        onError: (error) => void line.errors.push(error),
      },
    );
  const schedulers = async () => {
    const found = await queue.getJobSchedulers();
    return Object.fromEntries(found.map(({ key, pattern, every }) => [key, pattern ?? every]));
  };
  const yearly = "0 12 1 1 *";

  await (await startWith(yearly)).stop();
  expect(await schedulers()).toEqual({ "again-Daily": 86_400_000, "at-Daily": yearly });
  const delayed = await queue.getDelayed();
  const due = delayed.find(({ id }) => id?.startsWith("repeat:at-Daily:"));
  // Noon of 1 January there is still 31 December in UTC.
  const year = new Date(Number(due?.id?.split(":").at(-1))).getUTCFullYear();
  // Due, with nobody there to run it.
  await due?.promote();
  asked.length = 0;
  const again = await startWith(yearly);
  await expect.poll(() => asked).toContain(Daily.parse({ date: `${year}-12-31` }).name);
  await again.stop();

  await (await startWith("0 13 1 1 *", "2d")).stop();
  expect(await schedulers()).toEqual({ "again-Daily": 172_800_000, "at-Daily": "0 13 1 1 *" });
  await (await startScheduler(line, { onTick: () => {}, onError: () => {} })).stop();
  expect(await schedulers()).toEqual({});
  expect(line.errors).toEqual([]);
  ledger.redis.disconnect();
});
