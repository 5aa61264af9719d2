/**
 * Measures one graph in a process of its own, on a private Redis (append-only, fsync every second):
 * ours, then raw BullMQ, in turns, after a round of each that is not counted. Everything is on that a
 * worker process has: leases, history, metrics. Sends its figures to its parent.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { EventHub } from "../../src/core/events.ts";
import type { Task } from "../../src/core/task.ts";
import { startRedis } from "../../src/embedded/redis/start-redis.ts";
import { recordMetrics } from "../../src/hooks/prometheus.ts";
import { connectRedis } from "../../src/queue/connection.ts";
import { Engine } from "../../src/queue/engine.ts";
import { recordHistory } from "../../src/queue/history/record-history.ts";
import { type Runtime, RUNTIME_DEFAULTS } from "../../src/queue/runtime.ts";
import { submit } from "../../src/queue/submit.ts";
import { startWorker } from "../../src/queue/worker.ts";
import { openStores } from "../../src/stores/open-stores.ts";
import type { Figures } from "./figures.ts";
import { CONCURRENCY, GRAPHS, Independent, project, QUEUES } from "./graphs.ts";

type RawFigures = Pick<Figures, "rawAdd" | "rawDrain" | "rawCpu">;

const WARM_UP = 2000;

const signal = new AbortController().signal;
const fail = (error: unknown) => {
  throw error;
};

const graph = GRAPHS.get(process.argv[2] ?? "");
if (graph === undefined) throw new Error("no such graph");
const dir = mkdtempSync(path.join(tmpdir(), "sluice-bench-"));
const server = await startRedis({ dir, password: "bench", env: process.env });
const probe = connectRedis(server.url);

await measure(Independent({ count: WARM_UP }));
await measureRaw(WARM_UP);
const rounds: Figures[] = [];
for (let round = 0; round < graph.rounds; round += 1) {
  const ours = await measure(graph.root);
  if (ours.tasks !== graph.tasks) throw new Error(`${ours.tasks} tasks`);
  const raw = await measureRaw(ours.tasks);
  rounds.push({
    ...ours,
    ...raw,
    ratio: raw.rawDrain / ours.drain,
    ratioWithInsert: (raw.rawAdd + raw.rawDrain) / (ours.expand + ours.drain),
  });
}
probe.disconnect();
await server.stop();
rmSync(dir, { recursive: true, force: true });
process.send?.(rounds);

async function measure(
  root: Task,
): Promise<Omit<Figures, keyof RawFigures | "ratio" | "ratioWithInsert">> {
  await emptyRedis();
  const before = await usedMemory(probe);
  const engine = await Engine.open({ redisUrl: server.url, prefix: "{bench}" });
  const events = new EventHub(fail);
  recordMetrics(events);
  const history = recordHistory(events, engine, {
    worker: "bench",
    version: "bench",
    onDropped: fail,
  });
  const stores = openStores({});
  const runtime: Runtime = { engine, project, stores, events, settings: RUNTIME_DEFAULTS };

  const watched = watchProcess();
  // Only its size is kept: a plan of 100,000 tasks is not held while they run.
  const [expand, tasks] = await timed(
    async () => (await submit(runtime, root, { signal })).tasks.size,
  );
  const { rss, delay } = watched.stop();
  const bytes = ((await usedMemory(probe)) - before) / tasks;

  const cpuBefore = process.cpuUsage();
  const [drain, worker] = await timed(async () => {
    const started = await startWorker(runtime, {
      queues: project.queues,
      concurrency: CONCURRENCY,
      lockDuration: 60_000,
      stalledInterval: 30_000,
      onError: fail,
    });
    while ((await engine.redis.exists(engine.keys.done(root.id))) === 0) await pause(5);
    return started;
  });
  const cpu = cpuSince(cpuBefore);
  await worker.stop(1000);
  const [again] = await timed(() => submit(runtime, root, { signal }));
  await history.close(5000);
  await engine.close();
  return { tasks, expand, drain, again, bytes, rss, delay, cpu };
}

/** As many jobs without any dependency: `addBulk`, then a drain by workers that do nothing. */
async function measureRaw(jobs: number): Promise<RawFigures> {
  await emptyRedis();
  const connection = new Redis(server.url, { maxRetriesPerRequest: null });
  const options = { connection, prefix: "{raw}" };
  const queues = QUEUES.map((name) => new Queue(name, options));
  const each = Math.ceil(jobs / queues.length);
  const [rawAdd] = await timed(async () => {
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
  const cpuBefore = process.cpuUsage();
  const workers: Worker[] = [];
  const [rawDrain] = await timed(async () => {
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
  const rawCpu = cpuSince(cpuBefore);
  await Promise.all(workers.map((worker) => worker.close()));
  await Promise.all(queues.map((queue) => queue.close()));
  connection.disconnect();
  return { rawAdd, rawDrain, rawCpu };
}

/**
 * With an empty log, too: Redis rewrites it, on the core that we need, whenever it grew by 64 MB. As a round
 * of 10,000 writes just that much, it did so once a round, and always while ours drained.
 */
async function emptyRedis(): Promise<void> {
  await probe.flushall();
  await probe.bgrewriteaof();
  while (/aof_rewrite_(in_progress|scheduled):1/.test(await probe.info("persistence"))) {
    await pause(5);
  }
}

/** The most memory, and the delay of the event loop, until `stop`. */
function watchProcess(): { stop(): { rss: number; delay: number } } {
  let rss = process.memoryUsage.rss();
  const look = () => {
    rss = Math.max(rss, process.memoryUsage.rss());
  };
  const timer = setInterval(look, 20);
  const delays = monitorEventLoopDelay({ resolution: 10 });
  delays.enable();
  return {
    stop() {
      delays.disable();
      clearInterval(timer);
      look();
      return { rss, delay: delays.percentile(99) / 1e6 };
    },
  };
}

async function timed<T>(work: () => Promise<T>): Promise<[milliseconds: number, result: T]> {
  const started = performance.now();
  const result = await work();
  return [performance.now() - started, result];
}

function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

async function usedMemory(redis: Redis): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await redis.info("memory"))?.[1]);
}
