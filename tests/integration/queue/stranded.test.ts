/** Jobs that a Redis has brought back in a state in which nothing would ever happen to them. */
import { readdirSync, readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { defineTask, defineWrapper } from "../../../src/core/define.ts";
import { p } from "../../../src/core/params/p.ts";
import type { Task } from "../../../src/core/task.ts";
import { startRedis } from "../../../src/embedded/redis/start-redis.ts";
import { Engine } from "../../../src/queue/engine.ts";
import { tick } from "../../../src/queue/scheduler.ts";
import { adoption } from "../../../src/queue/completion.ts";
import { submit } from "../../../src/queue/submit.ts";
import { submitStranded } from "../../../src/queue/submit-stranded.ts";
import { startWorker } from "../../../src/queue/worker.ts";
import { flags, pipeline, type Pipeline } from "../../support/pipeline.ts";
import { keyPrefix, tempDir } from "../../support/services.ts";

const soon = () => ({ signal: AbortSignal.timeout(30_000) });
const always = { after: 0, times: 1_000 };

/** Root <- Middle <- two leaves; Middle has an output. */
async function tree() {
  const { flag, count, counted } = await flags();
  const name = p.text();
  const Leaf = defineTask({ name: "Leaf", params: { name } }, ({ params }) =>
    count(`leaf ${params.name}`),
  );
  const leaves = [Leaf({ name: "a" }), Leaf({ name: "b" })];
  const Middle = defineTask(
    { name: "Middle", queue: "load", requires: () => leaves, output: () => flag("middle") },
    async ({ output }) => {
      await count("middle");
      await output.raise();
    },
  );
  const Root = defineWrapper({ name: "Root", queue: "sql", requires: () => Middle() });
  const line = await pipeline([Leaf, Middle, Root]);
  const middle = flag("middle").bind({ task: Middle(), stores: line.stores, ...soon() });
  return { line, leaves, Middle, Root, counted, raise: () => middle.raise() };
}

const stateOf = async ({ engine }: Pick<Pipeline, "engine">, { family, id }: Task) =>
  (await engine.queue(family.queue).getJob(id))?.getState();

const isComplete = ({ engine: { redis, keys } }: Pick<Pipeline, "engine">, { id }: Task) =>
  redis.exists(keys.done(id));

async function record({ engine }: Pipeline, task: Task): Promise<void> {
  await engine.scripts.send(adoption(engine, task));
}

/** As half of a script leaves it, whose other half Redis lost. */
async function unlink(
  { engine: { redis, keys } }: Pipeline,
  task: Task,
  waitsFor: readonly Task[],
) {
  await redis.del(`${keys.job(task.family.queue, task.id)}:dependencies`);
  for (const { id } of waitsFor) await redis.del(keys.waiters(id));
}

test.each(["waiting-children", "prioritized"])(
  "a job that was taken out of %s, and put nowhere, goes on after the next submit",
  async (from) => {
    const { line, leaves, Middle, Root, counted } = await tree();
    const { redis, keys } = line.engine;
    await submit(line, Root(), soon());
    const job = from === "waiting-children" ? Middle() : leaves[0];
    if (job === undefined) throw new Error("there are leaves");
    const queue = keys.queue(job.family.queue);
    expect(await redis.zrem(`${queue}:${from}`, job.id)).toBe(1);
    await line.work();
    await expect.poll(() => counted("leaf b")).toBe(1);
    expect(await stateOf(line, job)).toBe("unknown");
    await submit(line, Root(), soon());
    await expect.poll(() => isComplete(line, Root())).toBe(1);
    expect([await counted("leaf a"), await counted("middle")]).toEqual([1, 1]);
  },
);

test("a tick releases a job that waits although its own task is complete, below a complete root", async () => {
  const { line, leaves, Middle, Root, counted } = await tree();
  await submit(line, Root(), soon());
  await unlink(line, Middle(), leaves);
  await unlink(line, Root(), [Middle()]);
  await record(line, Middle());
  await record(line, Root());
  const { redis, keys } = line.engine;
  const edges = leaves.map(({ family, id }) => keys.job(family.queue, id));
  await redis.sadd(`${keys.job("load", Middle().id)}:dependencies`, ...edges);
  await line.work({ queues: ["load", "sql"] });
  await submit(line, Root(), soon());
  expect(await stateOf(line, Middle())).toBe("waiting-children");
  await tick(line, Root(), { ...soon(), retryFailed: always });
  await expect.poll(() => stateOf(line, Middle())).toBe("completed");
  await expect.poll(() => stateOf(line, Root())).toBe("completed");
  expect(await counted("middle")).toBe(0);
});

test("a tick makes sure of what a job waits for below a complete root; its output is not made again", async () => {
  const { line, leaves, Middle, Root, counted, raise } = await tree();
  const { redis, keys } = line.engine;
  await submit(line, Root(), soon());
  await unlink(line, Middle(), leaves);
  await redis.del(...leaves.map(({ family, id }) => keys.job(family.queue, id)));
  for (const { family, id } of leaves) {
    await redis.zrem(`${keys.queue(family.queue)}:prioritized`, id);
  }
  await raise();
  await record(line, Root());
  await line.work();
  await tick(line, Root(), { ...soon(), retryFailed: always });
  await expect.poll(() => stateOf(line, Middle())).toBe("completed");
  expect(await isComplete(line, Middle())).toBe(1);
  expect([await counted("leaf a"), await counted("middle")]).toEqual([1, 0]);
});

test("what waits below an open root, or was enqueued by another version, is left alone", async () => {
  const { line, leaves, Middle, Root } = await tree();
  const { redis, keys } = line.engine;
  await submit(line, Root(), soon());
  expect(await submitStranded(line, soon())).toEqual([]);
  await record(line, Root());
  const found = await submitStranded(line, soon());
  expect(found.map(({ name }) => name)).toEqual(["Middle()"]);
  const job = keys.job("load", Middle().id);
  for (const data of ["no JSON", JSON.stringify({ family: "Gone", params: {}, root: Root().id })]) {
    await redis.hset(job, "data", data);
    expect(await submitStranded(line, soon())).toEqual([]);
  }
  expect(leaves).toHaveLength(2);
});

test("a Redis that starts twice on a log that ends within a script loses no task", async () => {
  const dir = tempDir();
  const prefix = keyPrefix();
  const { line, leaves, Middle, Root } = await tree();
  const start = async (use: (place: Pipeline) => Promise<unknown>) => {
    const redis = await startRedis({ dir, password: "stranded", env: process.env });
    const engine = await Engine.open({ redisUrl: redis.url, prefix });
    try {
      await use({ ...line, engine });
    } finally {
      await engine.close();
      process.kill(redis.pid, "SIGKILL");
      await redis.stop();
    }
  };
  await start(async (place) => {
    await submit(place, Root(), soon());
    for (const leaf of leaves) await record(place, leaf);
    expect(await stateOf(place, Middle())).toBe("prioritized");
  });
  // Middle is taken out of those that wait; the command that queues it is cut off.
  const folder = join(dir, "appendonlydir");
  const log = join(folder, readdirSync(folder).find((file) => file.endsWith(".incr.aof")) ?? "");
  const taken = `:waiting-children\r\n$${Middle().id.length}\r\n${Middle().id}\r\n`;
  truncateSync(log, readFileSync(log).lastIndexOf(taken) + taken.length + 3);
  // What is written now lets the next start carry out the half that is in the log.
  await start(({ engine }) =>
    engine.redis.multi().set(`${prefix}:a`, 1).set(`${prefix}:b`, 1).exec(),
  );
  await start(async (place) => {
    await submit(place, Root(), soon());
    expect(await stateOf(place, Middle())).toMatch(/prioritized|waiting-children/);
    const worker = await startWorker(place, {
      queues: place.project.queues,
      concurrency: 5,
      lockDuration: 30_000,
      stalledInterval: 30_000,
      onError: () => {},
    });
    await expect.poll(() => isComplete(place, Root())).toBe(1);
    await worker.stop(0);
  });
});
