/**
 * Families that misbehave as told, for tests with real processes. What they do is written to a ledger:
 * a Redis of its own, so that it can be read while the engine's Redis is frozen.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Temporal } from "temporal-polyfill";
import { defineConfig, type Project } from "../../../../src/core/config.ts";
import { defineTask, defineWrapper } from "../../../../src/core/define.ts";
import { p } from "../../../../src/core/params/p.ts";
import { scheduled } from "../../../../src/core/schedule.ts";
import type { Stores } from "../../../../src/core/stores.ts";
import type { Target, TargetHandle } from "../../../../src/core/target.ts";
import type { Task } from "../../../../src/core/task.ts";
import { connectRedis } from "../../../../src/queue/connection.ts";

export interface Place {
  readonly ledgerUrl: string;
  /** In front of the ledger's keys. */
  readonly ledger: string;
}

/** What a child process is told. */
export interface Orders extends Place {
  readonly engineUrl: string;
  readonly prefix: string;
  readonly concurrency?: number;
  readonly lockDuration?: number;
  readonly leaseDuration?: number;
  /** A scheduler's cron pattern and pause. */
  readonly pattern?: string;
  readonly again?: string;
  readonly seed?: number;
}

/** Not `openStores`: importing the AWS SDK takes half of a child's start. */
export const NO_STORES: Stores = {
  get source() {
    return noStore();
  },
  get warehouse() {
    return noStore();
  },
  get s3() {
    return noStore();
  },
};

function noStore(): never {
  throw new Error("these families use no store");
}

const n = p.int({ min: 0, max: 1_000_000 });
const retry = { attempts: 1 };

/** The torture's graph: 8 layers of 12, three requirements each, one wrapper in ten. */
const LAYERS = 8;
const WIDTH = 12;

export function familiesOn(place: Place) {
  const redis = connectRedis(place.ledgerUrl);
  const key = (name: string) => `${place.ledger}:${name}`;
  const ledger = {
    redis,
    key,
    add: (name: string) => redis.incr(key(name)),
    count: async (name: string) => Number(await redis.get(key(name))),
    set: async (name: string) => void (await redis.set(key(name), "1")),
    has: async (name: string) => (await redis.exists(key(name))) === 1,
    note: async (line: string) => void (await redis.rpush(key("notes"), line)),
    notes: () => redis.lrange(key("notes"), 0, -1),
  };
  const flag = (name: string): Target<TargetHandle & { raise(): Promise<void> }> => ({
    kind: "flag",
    bind: () => ({
      location: `flag ${name}`,
      exists: () => ledger.has(name),
      raise: () => ledger.set(name),
    }),
  });

  /** Runs until the ledger has `go`. */
  const Held = defineTask({ name: "Held", params: { n }, retry }, async ({ params, attempt }) => {
    await ledger.add(`held-${params.n}`);
    while (!(await ledger.has("go"))) await sleep(20);
    await attempt.confirmLease();
    await ledger.note(`committed ${params.n} ${process.pid}`);
  });

  /** Its process dies as often as the ledger says. */
  const Crashing = defineTask({ name: "Crashing", retry }, async () => {
    const run = await ledger.add("crashing");
    if (run <= (await ledger.count("crashes"))) process.kill(process.pid, "SIGKILL");
    await sleep(1);
  });
  const AfterCrash = defineWrapper({ name: "AfterCrash", requires: () => Crashing() });

  /** Commits its output, and its process dies before that is recorded. */
  const Committing = defineTask(
    { name: "Committing", output: () => flag("committed"), retry },
    async ({ output }) => {
      await ledger.add("committing");
      await output.raise();
      process.kill(process.pid, "SIGKILL");
      await sleep(10_000);
    },
  );

  /** Blocks the event loop of its first process for as long as it is told. */
  const Blocking = defineTask(
    { name: "Blocking", params: { ms: n }, retry },
    async ({ params, attempt }) => {
      const first = (await ledger.add("blocking")) === 1;
      if (first) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, params.ms);
      await attempt.confirmLease();
      await ledger.note(`committed by ${first ? "the first" : "the second"}`);
    },
  );

  const nodeName = (layer: number, index: number) => `${layer}-${index}`;
  const below = (layer: number, index: number): [number, number][] =>
    layer === 0 ? [] : [1, 3, 7].map((step) => [layer - 1, (index * step + layer) % WIDTH]);
  const nodeParams = { layer: n, index: n };
  const Node = defineTask(
    {
      name: "Node",
      params: nodeParams,
      queue: "copy",
      retry: { attempts: 3, backoff: "20ms" },
      requires: ({ layer, index }): Task[] => below(layer, index).map(node),
      output: ({ layer, index }) => flag(`node-${nodeName(layer, index)}`),
    },
    async ({ params: { layer, index }, output }) => {
      for (const [l, i] of below(layer, index)) {
        if (!(await ledger.has(`node-${nodeName(l, i)}`))) {
          await ledger.note(`${nodeName(layer, index)} started before ${nodeName(l, i)}`);
        }
      }
      await ledger.add("runs");
      // Slow enough to be killed, until the killing is over.
      await sleep((await ledger.has("hurry")) ? 5 : 200 + Math.random() * 800);
      await output.raise();
    },
  );
  // Every tenth task is a wrapper around the real one.
  const Pair = defineWrapper({
    name: "Pair",
    params: nodeParams,
    queue: "load",
    requires: ({ layer, index }): Task => Node({ layer, index }),
  });
  const node = ([layer, index]: [number, number]): Task =>
    index % 10 === 9 ? Pair({ layer, index }) : Node({ layer, index });
  const Dynamic = defineTask(
    { name: "Dynamic", params: { half: n }, queue: "load" },
    function* ({ params }) {
      for (let index = params.half * 4; index < params.half * 4 + 8; index += 4) {
        yield* Node({ layer: LAYERS - 1, index });
      }
      return params.half;
    },
  );
  /** Two roots, 0 and 1, that overlap in all but their top. */
  const Torture = defineWrapper({
    name: "Torture",
    params: { half: n },
    queue: "load",
    requires: ({ half }) => [
      Dynamic({ half }),
      ...Array.from({ length: WIDTH / 2 }, (_, i) => node([LAYERS - 1, i * 2 + half])),
    ],
  });

  /** Fails on its first run. */
  const Flaky = defineTask(
    {
      name: "Flaky",
      params: { date: p.date() },
      output: ({ date }) => flag(`flaky-${date}`),
      retry,
    },
    async ({ params, output }) => {
      const run = await ledger.add(`flaky-runs-${params.date}`);
      if (run === 1) throw new Error("the source was down");
      await ledger.note(`flaky ${params.date} by ${process.pid}`);
      await output.raise();
    },
  );
  const Steady = defineTask(
    {
      name: "Steady",
      params: { date: p.date(), n },
      output: (params) => flag(`steady-${params.date}-${params.n}`),
    },
    async ({ params, output }) => {
      await ledger.add(`steady-runs-${params.date}-${params.n}`);
      await sleep(50);
      await ledger.note(`steady by ${process.pid}`);
      await output.raise();
    },
  );
  const Daily = defineWrapper({
    name: "Daily",
    params: { date: p.date() },
    requires: ({ date }) => [
      Flaky({ date }),
      ...Array.from({ length: 20 }, (_, each) => Steady({ date, n: each })),
    ],
  });

  const families = {
    Held,
    Crashing,
    AfterCrash,
    Committing,
    Blocking,
    Node,
    Pair,
    Dynamic,
    Torture,
    Flaky,
    Steady,
    Daily,
  };
  return { ...families, families: Object.values(families), ledger };
}

/** The project of a child process; a scheduler's when there is a pattern. */
export function projectOf(orders: Orders): Project {
  const { families, Daily } = familiesOn(orders);
  if (orders.pattern === undefined) return defineConfig({ tasks: families });
  const { pattern, again = "1s" } = orders;
  return defineConfig({
    tasks: families,
    schedules: [scheduled(Daily, { pattern, again, timezone: "Pacific/Kiritimati" })],
  });
}

/** Yesterday in the schedule's zone, which is a day ahead of most of the world. */
export function yesterdayThere(): Temporal.PlainDate {
  return Temporal.Now.plainDateISO("Pacific/Kiritimati").subtract({ days: 1 });
}
