/**
 * One run of one task behind fault proxies: everything that its worker says to Redis, Postgres and S3
 * goes through them. Who submits and who looks on does not. Timers are scaled.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { UnreachableError } from "../../src/core/errors.ts";
import { EventHub, type SluiceEvents } from "../../src/core/events.ts";
import type { Task } from "../../src/core/task.ts";
import { Engine, type EngineSettings } from "../../src/queue/engine.ts";
import { recordHistory } from "../../src/queue/history/record-history.ts";
import { RUNTIME_DEFAULTS, type RuntimeSettings } from "../../src/queue/runtime.ts";
import { submit } from "../../src/queue/submit.ts";
import { startWorker, type WorkerSettings } from "../../src/queue/worker.ts";
import { openStores, type StoreSettings } from "../../src/stores/open-stores.ts";
import { project } from "./kinds.ts";
import type { Services } from "./services.ts";
import { FaultProxy } from "./wire/fault-proxy.ts";
import { httpProtocol } from "./wire/http.ts";
import { postgresProtocol } from "./wire/postgres.ts";
import { redisProtocol } from "./wire/redis.ts";

const SETTINGS: RuntimeSettings = {
  ...RUNTIME_DEFAULTS,
  leaseDuration: 1_000,
  abortGrace: 300,
  externalPoll: 50,
};
const WORKER: Omit<WorkerSettings, "onError"> = {
  queues: project.queues,
  concurrency: 2,
  lockDuration: 1_000,
  stalledInterval: 500,
};
/** Milliseconds without a byte after which a connection is looked into. */
const STALL_AFTER = 400;
/** INV6: however a single fault falls, the root is complete by then. */
const CONVERGED_AFTER = 40_000;

export type Port = "redis" | "postgres" | "s3";

/** Where a worker of a sweep finds its services: through the proxies. */
export interface WorkerOrders {
  readonly redisUrl: string;
  readonly prefix: string;
  readonly stores: StoreSettings;
}

export interface Proxies {
  readonly redis: FaultProxy;
  readonly postgres: FaultProxy;
  readonly s3: FaultProxy;
  readonly orders: WorkerOrders;
  close(): void;
}

export async function proxiesBefore(services: Services, prefix: string): Promise<Proxies> {
  const [redis, postgres, s3] = await Promise.all([
    FaultProxy.before(redisProtocol, services.redisUrl),
    FaultProxy.before(postgresProtocol, services.databaseUrl),
    FaultProxy.before(httpProtocol, services.s3.endpoint),
  ]);
  const stores = {
    sourceUrl: postgres.url,
    warehouseUrl: postgres.url,
    s3: { ...services.s3, endpoint: s3.url },
    stallAfter: STALL_AFTER,
  };
  return {
    redis: redis.proxy,
    postgres: postgres.proxy,
    s3: s3.proxy,
    orders: { redisUrl: redis.url, prefix, stores },
    close: () => [redis, postgres, s3].forEach(({ proxy }) => proxy.close()),
  };
}

export type Told = SluiceEvents["task:failed"] & {
  readonly event: "task:failed" | "task:retrying" | "task:lost";
};

export interface Worker {
  /** What hooks were told of attempts that ended badly. */
  readonly told: readonly Told[];
  readonly started: readonly SluiceEvents["task:started"][];
  stop(): Promise<void>;
}

/** A whole worker: engine, stores, history. */
export async function startSweepWorker(orders: WorkerOrders): Promise<Worker> {
  const engine = await openEngine(orders);
  const stores = openStores(orders.stores);
  const events = new EventHub(() => {});
  const told: Told[] = [];
  const started: SluiceEvents["task:started"][] = [];
  for (const event of ["task:failed", "task:retrying", "task:lost"] as const) {
    events.on(event, (facts) => void told.push({ ...facts, event }));
  }
  events.on("task:started", (facts) => void started.push(facts));
  const history = recordHistory(events, engine, {
    worker: `${process.pid}`,
    version: "test",
    onDropped: () => {},
  });
  const worker = await startWorker(
    { engine, project, stores, events, settings: SETTINGS },
    { ...WORKER, onError: () => {} },
  );
  return {
    told,
    started,
    async stop() {
      await worker.stop(0);
      await history.close(2_000);
      await Promise.all([engine.close(), stores.close()]);
    },
  };
}

/** A process may give up on a Redis that is slow to greet it; on a busy machine it is started again. */
async function openEngine(settings: EngineSettings): Promise<Engine> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await Engine.open(settings);
    } catch (error) {
      if (tries === 5 || !(error instanceof UnreachableError)) throw error;
    }
  }
}

/** The clean side of a case: submits, and sees how it goes. */
export async function observer(services: Services, prefix: string) {
  const engine = await openEngine({ redisUrl: services.redisUrl, prefix });
  const place = { engine, project, stores: services.stores };
  const isDone = async (task: Task): Promise<boolean> => {
    if ((await engine.redis.exists(engine.keys.done(task.id))) === 0) return false;
    const { queue } = task.family;
    return (await engine.queue(queue).getJobState(task.id)) === "completed";
  };
  return {
    engine,
    submit: async (root: Task) =>
      submit(place, root, { signal: AbortSignal.timeout(CONVERGED_AFTER) }),
    /** Whether the root, and its job, came to their end in time. */
    async converged(root: Task): Promise<boolean> {
      const deadline = performance.now() + CONVERGED_AFTER;
      while (performance.now() < deadline) {
        if (await isDone(root)) return true;
        await sleep(20);
      }
      return false;
    },
    close: () => engine.close(),
  };
}

export type Observer = Awaited<ReturnType<typeof observer>>;
