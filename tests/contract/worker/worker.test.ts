/** One battery for every kind of run: how a worker ends its attempts, and what is left of them. */
import { describe, expect, test } from "vitest";
import { all } from "../../../src/core/all.ts";
import { defineTask } from "../../../src/core/define.ts";
import type { SluiceEvents } from "../../../src/core/events.ts";
import { p } from "../../../src/core/params/p.ts";
import type { FamilyDefinition, Task } from "../../../src/core/task.ts";
import { submit } from "../../../src/queue/submit.ts";
import { flags, pipeline, statesOf } from "../../support/pipeline.ts";

/** What a run does when it comes to its work: it counts, and then what the test wants. */
type Work = (signal: AbortSignal) => Promise<void>;

type Kind = (work: Work) => Promise<{ root: Task; families: readonly FamilyDefinition[] }>;

const retry = { attempts: 2, backoff: "1ms" } as const;

const kinds: Readonly<Record<string, Kind>> = {
  "a function": async (work) => {
    const Run = defineTask({ name: "Run", retry }, ({ signal }) => work(signal));
    return { root: Run(), families: [Run] };
  },
  "a function with an output": async (work) => {
    const { flag } = await flags();
    const Run = defineTask(
      { name: "Run", retry, output: () => flag("run") },
      async ({ signal, output }) => {
        await work(signal);
        await output.raise();
      },
    );
    return { root: Run(), families: [Run] };
  },
  "a generator that asked for one task": async (work) => {
    const Part = defineTask({ name: "Part" }, () => 1);
    const Run = defineTask({ name: "Run", retry }, async function* ({ signal }) {
      const one = yield* Part();
      await work(signal);
      return one;
    });
    return { root: Run(), families: [Run, Part] };
  },
  "a generator that asked for many, and has an output": async (work) => {
    const { flag } = await flags();
    const n = p.int({ min: 0, max: 9 });
    const Part = defineTask({ name: "Part", params: { n } }, ({ params }) => params.n);
    const Run = defineTask(
      { name: "Run", retry, output: () => flag("run") },
      async function* ({ signal, output }) {
        yield* all([Part({ n: 1 }), Part({ n: 2 })]);
        await work(signal);
        await output.raise();
      },
    );
    return { root: Run(), families: [Run, Part] };
  },
};

const untilAborted: Work = (signal) =>
  new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error("aborted")));
  });

/** `plan[n]` is what the nth piece of work does; nothing after the last. */
async function started(kind: Kind, ...plan: readonly Work[]) {
  let runs = 0;
  const { root, families } = await kind(async (signal) => plan[runs++]?.(signal));
  const line = await pipeline(families);
  const told: string[] = [];
  for (const name of ["task:retrying", "task:failed", "task:lost"] as const) {
    line.events.on(name, ({ task, attempt }: SluiceEvents["task:failed"]) => {
      if (task.id === root.id) told.push(`${name} ${attempt.number}`);
    });
  }
  const job = async () => line.engine.queue("default").getJob(root.id);
  return {
    line,
    root,
    told,
    job,
    runs: () => runs,
    /** Complete, and nothing is left but its record. */
    isOver: async () => {
      expect(statesOf(await line.run(root))[root.name]).toBe("complete");
      await expect.poll(async () => (await job())?.getState()).toBe("completed");
      const { keys, redis } = line.engine;
      expect(await redis.exists(keys.attempt(root.id), keys.waiters(root.id))).toBe(0);
      expect(line.errors).toEqual([]);
    },
  };
}

describe.each(Object.entries(kinds))("%s", (_, kind) => {
  test("succeeds: recorded once, nobody is told of a failure, and it runs no more", async () => {
    const { line, isOver, runs, told } = await started(kind);
    await line.work();
    await isOver();
    await isOver();
    expect([runs(), told]).toEqual([1, []]);
  });

  test("fails: it is retried, and told so", async () => {
    const { line, isOver, runs, told } = await started(kind, () => Promise.reject(new Error("no")));
    await line.work();
    await isOver();
    expect([runs(), told]).toEqual([2, ["task:retrying 1"]]);
  });

  test("fails for good: it stays so until the next run, which completes it", async () => {
    const no: Work = () => Promise.reject(new Error("no"));
    const { line, root, isOver, runs, told } = await started(kind, no, no);
    await line.work();
    expect(statesOf(await line.run(root))[root.name]).toBe("failed");
    expect([runs(), told]).toEqual([2, ["task:retrying 1", "task:failed 2"]]);
    await isOver();
    expect(runs()).toBe(3);
  });

  test("INV16 handed back when its worker stops: no attempt is used, nobody is told", async () => {
    const { line, root, isOver, runs, told, job } = await started(kind, untilAborted);
    const first = await line.work();
    await submit(line, root, { signal: AbortSignal.timeout(10_000) });
    await expect.poll(runs, { timeout: 10_000 }).toBe(1);
    await first.stop(0);
    const handed = await job();
    expect([handed?.attemptsMade, handed?.stalledCounter]).toEqual([0, 0]);
    expect(await line.engine.redis.exists(`${line.engine.keys.job("default", root.id)}:lock`)).toBe(
      0,
    );
    await line.work();
    await isOver();
    expect([runs(), told]).toEqual([2, []]);
  });

  test("INV8 lost with its worker: another attempt takes over, and tells so once", async () => {
    let end = (): void => {};
    const held: Work = () =>
      new Promise((resolve) => {
        end = resolve;
      });
    const { line, root, runs, told } = await started(kind, held);
    const { keys, redis } = line.engine;
    await line.work({ stalledInterval: 50 });
    await submit(line, root, { signal: AbortSignal.timeout(10_000) });
    await expect.poll(runs, { timeout: 10_000 }).toBe(1);
    await redis.hset(keys.attempt(root.id), "expires", 1);
    await redis.del(`${keys.job("default", root.id)}:lock`);
    await expect.poll(runs, { timeout: 10_000 }).toBe(2);
    await expect.poll(() => redis.exists(keys.done(root.id)), { timeout: 10_000 }).toBe(1);
    // What the lost one does now counts for nothing.
    end();
    line.errors.splice(0);
    expect(told).toEqual(["task:lost 1"]);
    expect(statesOf(await line.run(root))[root.name]).toBe("complete");
    expect(runs()).toBe(2);
  });
});
