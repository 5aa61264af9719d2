/**
 * The engine beside raw BullMQ: how fast graphs of tasks that do nothing expand and drain, and what a
 * task costs in Redis. One process plans and works, on a private Redis (append-only, fsync every
 * second), with everything on that a worker has: leases, events, metrics of BullMQ. The peer is
 * `addBulk` and a worker that does nothing, on the same queues, in the same run.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Queue, Worker } from "bullmq";
import { defineConfig } from "../src/core/config.ts";
import { defineTask, defineWrapper } from "../src/core/define.ts";
import { EventHub } from "../src/core/events.ts";
import { p } from "../src/core/params/p.ts";
import type { Task } from "../src/core/task.ts";
import { startRedis } from "../src/embedded/redis/start-redis.ts";
import { recordMetrics } from "../src/hooks/prometheus.ts";
import { connectRedis } from "../src/queue/connection.ts";
import { Engine } from "../src/queue/engine.ts";
import { type Runtime, RUNTIME_DEFAULTS } from "../src/queue/runtime.ts";
import { submit } from "../src/queue/submit.ts";
import { startWorker } from "../src/queue/worker.ts";
import { openStores } from "../src/stores/open-stores.ts";

const QUEUES = ["copy", "load", "sql", "unload"];
const CONCURRENCY = 10;
const signal = new AbortController().signal;

const number = () => p.int({ min: 0, max: 1_000_000 });
const families = QUEUES.map((queue) =>
  defineTask(
    { name: `Nothing_${queue}`, params: { shape: p.text(), n: number() }, queue },
    () => {},
  ),
);
const nothing = (shape: string, n: number): Task => {
  const family = families[n % families.length];
  if (family === undefined) throw new Error("no families");
  return family({ shape, n });
};

const Independent = defineWrapper({
  name: "Independent",
  params: { count: number() },
  requires: ({ count }) => Array.from({ length: count }, (_, n) => nothing(`of ${count}`, n)),
});

const Cell = defineTask(
  {
    name: "Cell",
    params: { layer: number(), n: number() },
    queue: "sql",
    requires: ({ layer, n }): Task[] =>
      layer === 0
        ? []
        : [0, 1, 2].map((k) => Cell({ layer: layer - 1, n: (n * 7 + k * 31) % 100 })),
  },
  () => {},
);
const Layers = defineWrapper({
  name: "Layers",
  requires: () => Array.from({ length: 100 }, (_, n) => Cell({ layer: 9, n })),
});

const Link = defineTask(
  {
    name: "Link",
    params: { n: number() },
    queue: "sql",
    requires: ({ n }): Task[] => (n === 0 ? [] : [Link({ n: n - 1 })]),
  },
  () => {},
);

const project = defineConfig({ tasks: [...families, Independent, Cell, Layers, Link] });

const dir = mkdtempSync(path.join(tmpdir(), "sluice-bench-"));
const redis = await startRedis({ dir, password: "bench", env: process.env });
const probe = connectRedis(redis.url);

interface Row {
  readonly graph: string;
  readonly tasks: number;
  readonly expandMs: number;
  readonly drainMs: number;
  readonly bytes: number;
  readonly againMs: number;
  readonly rawAddMs: number;
  readonly rawDrainMs: number;
}

header();
for (const [graph, root, tasks] of [
  ["1000 independent", Independent({ count: 1000 }), 1001],
  ["10 x 100 layers, 3 requirements each", Layers(), 0],
  ["a chain of 300", Link({ n: 299 }), 300],
  ["10,000 independent", Independent({ count: 10_000 }), 10_001],
  ["100,000 independent", Independent({ count: 100_000 }), 100_001],
] as const) {
  print(await measure(graph, root, tasks));
}
console.log(
  "\nratio: tasks/s over raw jobs/s, draining. again: submitting the complete root. ms/task: expansion and drain together.",
);
probe.disconnect();
await redis.stop();
rmSync(dir, { recursive: true, force: true });

async function measure(graph: string, root: Task, expected: number): Promise<Row> {
  await probe.flushall();
  const before = await usedMemory();
  const engine = await Engine.open({ redisUrl: redis.url, prefix: "{bench}" });
  const events = new EventHub((error) => {
    throw error;
  });
  recordMetrics(events);
  const runtime: Runtime = {
    engine,
    project,
    stores: openStores({}),
    events,
    settings: RUNTIME_DEFAULTS,
  };
  const [expandMs, plan] = await timed(() => submit(runtime, root, { signal }));
  if (expected > 0 && plan.tasks.size !== expected) throw new Error(`${plan.tasks.size} tasks`);
  const bytes = ((await usedMemory()) - before) / plan.tasks.size;
  const [drainMs] = await timed(async () => {
    const worker = await startWorker(runtime, {
      queues: project.queues,
      concurrency: CONCURRENCY,
      lockDuration: 60_000,
      stalledInterval: 30_000,
      onError: (error) => {
        throw error;
      },
    });
    while ((await engine.redis.exists(engine.keys.done(root.id))) === 0) await pause(5);
    await worker.stop(1000);
  });
  const [againMs] = await timed(() => submit(runtime, root, { signal }));
  await engine.close();
  const raw = await measureRaw(plan.tasks.size);
  return { graph, tasks: plan.tasks.size, expandMs, drainMs, bytes, againMs, ...raw };
}

/** As many jobs without any dependency: `addBulk`, then a drain by workers that do nothing. */
async function measureRaw(jobs: number): Promise<{ rawAddMs: number; rawDrainMs: number }> {
  await probe.flushall();
  const connection = connectRedis(redis.url);
  const options = { connection, prefix: "{raw}" };
  const queues = QUEUES.map((name) => new Queue(name, options));
  const each = Math.ceil(jobs / queues.length);
  const [rawAddMs] = await timed(async () => {
    for (const queue of queues) {
      for (let from = 0; from < each; from += 500) {
        const part = Array.from({ length: Math.min(500, each - from) }, (_, n) => ({
          name: "nothing",
          data: { n: from + n },
          opts: { attempts: 3, removeOnComplete: { age: 7 * 86_400, count: 100_000 } },
        }));
        await queue.addBulk(part);
      }
    }
  });
  const workers: Worker[] = [];
  const [rawDrainMs] = await timed(async () => {
    let left = each * queues.length;
    await new Promise<void>((resolve, reject) => {
      for (const { name } of queues) {
        const worker = new Worker(name, async () => {}, { ...options, concurrency: CONCURRENCY });
        worker.on("error", reject);
        worker.on("completed", () => {
          left -= 1;
          if (left === 0) resolve();
        });
        workers.push(worker);
      }
    });
  });
  await Promise.all(workers.map((worker) => worker.close()));
  await Promise.all(queues.map((queue) => queue.close()));
  connection.disconnect();
  return { rawAddMs, rawDrainMs };
}

async function timed<T>(work: () => Promise<T>): Promise<[milliseconds: number, result: T]> {
  const started = performance.now();
  const result = await work();
  return [performance.now() - started, result];
}

async function usedMemory(): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await probe.info("memory"))?.[1]);
}

function header(): void {
  console.log(
    columns()
      .map(([name, width]) => name.padStart(width))
      .join(""),
  );
}

function columns() {
  return [
    ["graph", 38],
    ["tasks", 8],
    ["expand ms", 11],
    ["drain ms", 10],
    ["tasks/s", 9],
    ["raw jobs/s", 12],
    ["ratio", 7],
    ["B/task", 8],
    ["again ms", 10],
    ["ms/task", 9],
  ] as const;
}

function print(row: Row): void {
  const rate = (row.tasks / row.drainMs) * 1000;
  const rawRate = (row.tasks / row.rawDrainMs) * 1000;
  const perTask = (row.expandMs + row.drainMs) / row.tasks;
  const values = [
    row.graph,
    row.tasks,
    row.expandMs.toFixed(0),
    row.drainMs.toFixed(0),
    rate.toFixed(0),
    rawRate.toFixed(0),
    (rate / rawRate).toFixed(2),
    row.bytes.toFixed(0),
    row.againMs.toFixed(1),
    perTask.toFixed(3),
  ];
  console.log(values.map((value, i) => String(value).padStart(columns()[i]?.[1] ?? 0)).join(""));
}
