/** Redis is a cache of completion: without it the outputs say what is complete, also those of Luigi. */
import { expect, test } from "vitest";
import { submit } from "../../../src/queue/submit.ts";
import { privateRedis } from "../../support/private-redis.ts";
import { Load, Night } from "./night.ts";
import { date, stage } from "./stage.ts";

const soon = () => ({ signal: AbortSignal.timeout(20_000) });

test("wiped while everything is complete: what has outputs is adopted, not run", async () => {
  const line = await stage((await privateRedis()).url);
  await line.work();
  await line.run(Night({ date }));
  line.ran();
  await line.engine.redis.flushall();
  const watched = await line.run(Night({ date }));
  expect([...watched.values()].every(({ state }) => state === "complete")).toBe(true);
  // Nothing proves that the check was made.
  expect(line.ran()).toEqual(["Check()"]);
  await line.run(Night({ date }));
  expect(line.ran()).toEqual([]);
});

test("wiped in the middle of a run: the next run converges, and what exists is not run again", async () => {
  const line = await stage((await privateRedis()).url);
  await line.work({ lockDuration: 1_000, stalledInterval: 500 });
  let wiped: Promise<unknown> | undefined;
  line.events.on("task:started", ({ task }) => {
    if (task.family === "Load") wiped ??= line.engine.redis.flushall();
  });
  await submit(line, Night({ date }), soon());
  await expect.poll(() => wiped, { timeout: 10_000 }).toBeDefined();
  await wiped;
  const watched = await line.run(Night({ date }));
  expect([...watched.values()].every(({ state }) => state === "complete")).toBe(true);
  expect(line.ran().filter((name) => name === "Dump()")).toHaveLength(1);
  expect(await line.values()).toHaveLength(6);
  expect(await line.manifests()).toHaveLength(1);
});

test("a marker row that Luigi wrote: its task is complete and is not run", async () => {
  const line = await stage();
  await line.work();
  const task = Load({ table: "first", date });
  await line.sql(
    `CREATE TABLE table_updates (update_id TEXT PRIMARY KEY, target_table TEXT, inserted TIMESTAMP DEFAULT now());
     INSERT INTO table_updates (update_id, target_table) VALUES ('${task.id}', 'first')`,
  );
  await line.run(Night({ date }));
  expect(line.ran()).toEqual(["Check()", "Dump()", "Load(table=second)"]);
  await line.verify(Night({ date }));
  expect(line.ran()).toEqual([]);
});
