/** What a process refuses to work on: another environment's Redis, and jobs of another version of the code. */
import { expect, onTestFinished, test } from "vitest";
import { defineTask } from "../../../src/core/define.ts";
import type { SluiceEvents } from "../../../src/core/events.ts";
import { p } from "../../../src/core/params/p.ts";
import { cancelTask } from "../../../src/queue/cancel.ts";
import { findJob } from "../../../src/queue/find-task.ts";
import { Engine } from "../../../src/queue/engine.ts";
import { jobsOfOtherVersions } from "../../../src/queue/other-version.ts";
import { submit } from "../../../src/queue/submit.ts";
import { type Pipeline, pipeline, statesOf } from "../../support/pipeline.ts";
import { keyPrefix, redisUrl } from "../../support/services.ts";

const soon = () => ({ signal: AbortSignal.timeout(20_000) });

async function open(prefix: string, environment?: string): Promise<Engine> {
  const engine = await Engine.open({
    redisUrl: await redisUrl(),
    prefix,
    ...(environment !== undefined && { environment }),
  });
  onTestFinished(() => engine.close());
  return engine;
}

test("a process of another environment is refused, with the reason and the remedy", async () => {
  const prefix = keyPrefix();
  const engine = await open(prefix, "production");
  expect(await engine.redis.exists(engine.keys.environment), "a look writes nothing").toBe(0);
  await engine.claim();
  await (await open(prefix, "production")).claim();
  await expect(open(prefix, "staging")).rejects.toMatchObject({
    code: "ENVIRONMENT_MISMATCH",
    message: expect.stringMatching(
      /belongs to the environment "production", and this process is of "staging".*SLUICE_PREFIX.*DEL \{sluice-test-/,
    ),
  });
  // Another prefix is another place.
  await open(keyPrefix(), "staging");

  // As FLUSHALL leaves it: what runs goes on, and the next one writes the name again.
  await engine.redis.del(engine.keys.environment);
  expect(await engine.redis.ping()).toBe("PONG");
  await (await open(prefix, "production")).claim();
  expect(await engine.redis.get(engine.keys.environment)).toBe("production");
});

/** One queue, and a worker whose code is of another version than the one that submits. */
async function twoVersions(older: Parameters<typeof pipeline>[0], newer: typeof older) {
  const before = await pipeline(older, { versionPoll: 200 });
  const now = await pipeline(
    newer,
    { versionPoll: 200 },
    undefined,
    undefined,
    {},
    before.engine.keys.prefix,
  );
  const told: SluiceEvents["task:retrying"][] = [];
  now.events.on("task:retrying", (event) => void told.push(event));
  return { before, now, told };
}

async function deferrals(line: Pipeline, id: string): Promise<number> {
  const job = await line.engine.queue("default").getJob(id);
  return job?.attemptsStarted ?? 0;
}

test("a job with parameters that this version does not know waits for a worker that does, unfailed", async () => {
  const params = { date: p.text(), table: p.text() };
  const Old = defineTask({ name: "Load", params, retry: { attempts: 1 } }, () => {});
  const New = defineTask({ name: "Load", params: { day: p.text(), table: p.text() } }, () => {});
  const { before, now, told } = await twoVersions([Old], [New]);
  const task = Old({ date: "2026-11-21", table: "orders" });
  await submit(before, task, soon());
  const newer = await now.work();
  await expect.poll(() => deferrals(now, task.id)).toBeGreaterThan(2);
  const job = await now.engine.queue("default").getJob(task.id);
  expect([await job?.getState(), job?.attemptsMade]).toEqual([
    expect.stringMatching(/delayed|active/),
    0,
  ]);
  expect(told).toMatchObject([
    {
      task: { id: task.id, name: task.name, family: "Load" },
      error: { code: "PARAMETERS_UNKNOWN", fingerprint: "Load:PARAMETERS_UNKNOWN" },
    },
  ]);
  expect(told[0]?.error.message).toMatch(
    /^Job Load_2026_11_21_orders_\w+ was enqueued by another version.* \(date, table\), ours has \(day, table\): .*date.*sluice cancel/,
  );
  await newer.stop(0);
  expect(await jobsOfOtherVersions(now)).toEqual([
    {
      id: task.id,
      name: task.name,
      queue: "default",
      error: told[0]?.error.message,
      until: expect.any(Number),
    },
  ]);
  await before.work();
  expect(statesOf(await before.run(task))).toEqual({ [task.name]: "complete" });
  expect(await jobsOfOtherVersions(before)).toEqual([]);
  expect([...before.errors, ...now.errors]).toEqual([]);
});

test("a missing parameter, one that changed its type, and a family that is gone wait, too", async () => {
  const older = [
    defineTask({ name: "Wider" }, () => {}),
    defineTask({ name: "Retyped", params: { n: p.text() } }, () => {}),
    defineTask({ name: "Gone" }, () => {}),
    defineTask({ name: "Defaulted" }, () => {}),
  ] as const;
  const newer = [
    defineTask({ name: "Wider", params: { date: p.text() } }, () => {}),
    defineTask({ name: "Retyped", params: { n: p.int() } }, () => {}),
    defineTask({ name: "Defaulted", params: { mode: p.text().default("full") } }, () => {}),
  ];
  const { before, now, told } = await twoVersions(older, newer);
  const tasks = [older[0](), older[1]({ n: "many" }), older[2](), older[3]()];
  for (const task of tasks) await submit(before, task, soon());
  await now.work();
  for (const { id } of tasks) await expect.poll(() => deferrals(now, id)).toBeGreaterThan(1);
  // Its owner is gone for good: it can be ended by its id.
  const gone = await findJob(now.engine, now.project, tasks[2]?.id ?? "");
  if (gone === undefined) throw new Error("not found");
  await expect
    .poll(() => cancelTask(now, gone, { by: "ann@desk", ...soon() }))
    .toMatch(/removed|failed/);
  expect(await now.engine.queue("default").getJobState(gone.id)).toBe("failed");
  const codes = told.map(({ task, error }) => `${task.family} ${error.code}`);
  expect(codes.sort()).toEqual([
    "Defaulted PARAMETERS_UNKNOWN",
    "Gone FAMILY_UNKNOWN",
    "Retyped PARAMETERS_UNKNOWN",
    "Wider PARAMETERS_UNKNOWN",
  ]);
  expect(await now.engine.queue("default").getFailedCount()).toBe(1);
});

test("a job that somebody gave other values is refused for good", async () => {
  const Load = defineTask({ name: "Load", params: { table: p.text() } }, () => {});
  const line = await pipeline([Load]);
  const task = Load({ table: "orders" });
  await submit(line, task, soon());
  const { keys, redis } = line.engine;
  const data = { family: "Load", params: { table: "users" }, root: task.id };
  await redis.hset(keys.job("default", task.id), "data", JSON.stringify(data));
  await line.work();
  await expect.poll(() => line.engine.queue("default").getJobState(task.id)).toBe("failed");
  const job = await line.engine.queue("default").getJob(task.id);
  expect(job?.failedReason).toContain("carries the parameters of Load(table=users)");
});
