/**
 * A pipeline on the test's own Redis: an engine under an own key prefix, workers in this process, and
 * a target that is a key in Redis, so that engine tests need no other store.
 */
import type { Redis } from "ioredis";
import { defineConfig, type ProjectConfig } from "../../src/core/config.ts";
import { EventHub } from "../../src/core/events.ts";
import type { Stores } from "../../src/core/stores.ts";
import type { Target, TargetHandle } from "../../src/core/target.ts";
import type { FamilyDefinition, Task } from "../../src/core/task.ts";
import { connectRedis } from "../../src/queue/connection.ts";
import { Engine } from "../../src/queue/engine.ts";
import { type Runtime, RUNTIME_DEFAULTS, type RuntimeSettings } from "../../src/queue/runtime.ts";
import { submit } from "../../src/queue/submit.ts";
import { type Watched, watch } from "../../src/queue/watch.ts";
import { type RunningWorker, startWorker, type WorkerSettings } from "../../src/queue/worker.ts";
import { openStores } from "../../src/stores/open-stores.ts";
import { afterEveryTest } from "./closing.ts";
import { keyPrefix, redisUrl } from "./services.ts";

const closers: (() => Promise<void>)[] = [];

afterEveryTest("clients", async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

export interface Pipeline extends Runtime {
  readonly errors: Error[];
  /** Starts a worker of this process; ended after the test. */
  work(settings?: Partial<WorkerSettings>): Promise<RunningWorker>;
  /** Submits the root and waits until it is settled. */
  run(root: Task): Promise<Watched>;
}

export async function pipeline(
  families: readonly FamilyDefinition[],
  settings: Partial<RuntimeSettings> = {},
  stores: Stores = openStores({}),
  url?: string,
  config: Omit<ProjectConfig, "tasks"> = {},
  prefix = keyPrefix(),
): Promise<Pipeline> {
  const engine = await Engine.open({ redisUrl: url ?? (await redisUrl()), prefix });
  closers.push(() => engine.close());
  const errors: Error[] = [];
  const runtime: Runtime = {
    engine,
    project: defineConfig({ ...config, tasks: families }),
    stores,
    events: new EventHub((error) =>
      errors.push(error instanceof Error ? error : new Error(String(error))),
    ),
    settings: { ...RUNTIME_DEFAULTS, ...settings },
  };
  const signal = AbortSignal.timeout(50_000);
  return {
    ...runtime,
    errors,
    async work(overrides = {}) {
      const worker = await startWorker(runtime, {
        queues: runtime.project.queues,
        concurrency: 5,
        lockDuration: 30_000,
        stalledInterval: 30_000,
        onError: (error) => errors.push(error),
        ...overrides,
      });
      closers.push(() => worker.stop(0));
      return worker;
    },
    async run(root) {
      const plan = await submit(runtime, root, { signal });
      let last: Watched = new Map();
      for await (const watched of watch(runtime, plan, { signal, interval: 20 })) last = watched;
      return last;
    },
  };
}

/** A target that is a key in Redis. */
export interface Flag extends TargetHandle {
  raise(): Promise<void>;
  remove(): Promise<void>;
}

/** `flags(prefix)` makes targets of one test; `read` counts what tasks did. */
export async function flags(): Promise<{
  readonly redis: Redis;
  readonly flag: (name: string) => Target<Flag>;
  /** Adds one to a counter. */
  readonly count: (name: string) => Promise<number>;
  readonly counted: (name: string) => Promise<number>;
}> {
  const prefix = keyPrefix();
  const redis = connectRedis(await redisUrl());
  closers.push(async () => redis.disconnect());
  return {
    redis,
    flag: (name) => ({
      kind: "flag",
      bind: () => ({
        location: `flag ${name}`,
        exists: async () => (await redis.exists(`${prefix}:${name}`)) === 1,
        raise: async () => void (await redis.set(`${prefix}:${name}`, "1")),
        remove: async () => void (await redis.del(`${prefix}:${name}`)),
      }),
    }),
    count: (name) => redis.incr(`${prefix}:count:${name}`),
    counted: async (name) => Number(await redis.get(`${prefix}:count:${name}`)),
  };
}

/** The states of a settled root by task name. */
export function statesOf(watched: Watched): Record<string, string> {
  return Object.fromEntries([...watched.values()].map(({ task, state }) => [task.name, state]));
}
