/** Runs that wait for tasks they yield: what they see of failures, and how often they may start. */
import { Worker } from "bullmq";
import { expect, test } from "vitest";
import { all } from "../../../src/core/all.ts";
import { defineTask, defineWrapper } from "../../../src/core/define.ts";
import { DependencyFailedError } from "../../../src/core/dependency-failed.ts";
import { PermanentError } from "../../../src/core/errors.ts";
import { p } from "../../../src/core/params/p.ts";
import type { Task } from "../../../src/core/task.ts";
import { submit } from "../../../src/queue/submit.ts";
import { flags, pipeline, statesOf } from "../../support/pipeline.ts";
import { privateRedis } from "../../support/private-redis.ts";

const n = p.int({ min: 0, max: 1_000 });
const answerOf = async (line: Awaited<ReturnType<typeof pipeline>>, id: string) =>
  JSON.parse((await line.engine.redis.hget(line.engine.keys.done(id), "answer")) ?? "null");

/** `Part` fails for the numbers in `broken`. */
function parts(broken: Set<number>) {
  return defineTask({ name: "Part", params: { n }, retry: { attempts: 1 } }, ({ params }) => {
    if (broken.has(params.n)) throw new PermanentError("BAD_DATA", `line ${params.n}`);
    return params.n;
  });
}

test("a yielded task that fails for good is thrown into the run, which may go on without it", async () => {
  const Part = parts(new Set([1]));
  const caught: unknown[] = [];
  const Root = defineTask({ name: "Root" }, function* () {
    try {
      return yield* Part({ n: 1 });
    } catch (error) {
      if (!(error instanceof DependencyFailedError)) throw error;
      caught.push([error.code, error.message, error.dependency.id, error.cause]);
      return yield* Part({ n: 2 });
    }
  });
  const line = await pipeline([Part, Root]);
  await line.work();
  expect(statesOf(await line.run(Root()))["Root()"]).toBe("complete");
  expect(await answerOf(line, Root().id)).toBe(2);
  expect(caught[0]).toEqual([
    "DEPENDENCY_FAILED",
    "Root(): Part(n=1), which its run asked for, failed: line 1",
    Part({ n: 1 }).id,
    expect.objectContaining({ code: "BAD_DATA", message: "line 1" }),
  ]);
  expect(line.errors).toEqual([]);
});

test("uncaught, it fails nothing: the task waits, and a retry in Bull Board releases it", async () => {
  const broken = new Set([1]);
  const Part = parts(broken);
  let closed = 0;
  const Root = defineTask({ name: "Root" }, function* () {
    try {
      return yield* all([Part({ n: 1 }), Part({ n: 2 })]);
    } finally {
      closed += 1;
    }
  });
  const line = await pipeline([Part, Root]);
  const failed: string[] = [];
  line.events.on("task:failed", ({ task }) => void failed.push(task.name));
  await line.work();
  expect(statesOf(await line.run(Root()))).toMatchObject({
    "Root()": "blocked",
    "Part(n=1)": "failed",
  });
  // It failed again: it is thrown again, and waited for again.
  const job = await line.engine.queue("default").getJob(Part({ n: 1 }).id);
  const before = closed;
  await job?.retry("failed");
  await expect.poll(() => closed).toBeGreaterThan(before);
  broken.clear();
  await expect.poll(() => job?.getState()).toBe("failed");
  await job?.retry("failed");
  await expect.poll(() => answerOf(line, Root().id)).toEqual([1, 2]);
  expect(failed).toEqual(["Part(n=1)", "Part(n=1)"]);
});

test("what failed before it was asked for is thrown, too, once the others have ended", async () => {
  const Part = parts(new Set([1]));
  const caught: number[] = [];
  const Root = defineTask({ name: "Root" }, function* () {
    try {
      yield* all([Part({ n: 1 }), Part({ n: 2 }), Part({ n: 3 })]);
    } catch {
      caught.push((caught.at(-1) ?? 0) + 1);
    }
  });
  const line = await pipeline([Part, Root]);
  await line.work();
  await line.run(Part({ n: 1 }));
  expect(statesOf(await line.run(Root()))["Root()"]).toBe("complete");
  expect(caught).toEqual([1]);
});

test("two tasks with equal ids in one yield are one, answered twice", async () => {
  const { count, counted } = await flags();
  const Part = defineTask({ name: "Part", params: { n } }, async ({ params }) => {
    await count("part");
    return params.n;
  });
  const Root = defineTask({ name: "Root" }, function* () {
    return yield* all([Part({ n: 1 }), Part({ n: 1 }), Part({ n: 2 })]);
  });
  const line = await pipeline([Part, Root]);
  await line.work();
  await line.run(Root());
  expect([await answerOf(line, Root().id), await counted("part")]).toEqual([[1, 1, 2], 2]);
});

test("a run that yields new tasks for ever is stopped and told why", async () => {
  const Part = defineTask({ name: "Part", params: { n } }, () => {});
  let next = 0;
  const Restless = defineTask({ name: "Restless", retry: { attempts: 3 } }, function* () {
    for (;;) yield* Part({ n: next++ });
  });
  const line = await pipeline([Part, Restless], { restartsAllowed: 5 });
  await line.work();
  expect(statesOf(await line.run(Restless()))["Restless()"]).toBe("failed");
  const job = await line.engine.queue("default").getJob(Restless().id);
  expect(job?.failedReason).toBe(
    "Restless(): run() has waited for other tasks 5 times and starts again from its first line each time: yield the same tasks on every start, and many at once with all([…])",
  );
  expect(next).toBe(6);
  // A retry has all of them again.
  await job?.retry("failed");
  await expect.poll(() => next).toBe(12);
});

test("what a run asked for is not run again for an answer that was lost with Redis: it is null", async () => {
  const { flag, count, counted } = await flags();
  const { url } = await privateRedis();
  const Dump = defineTask({ name: "Dump", output: () => flag("dump") }, async ({ output }) => {
    await count("dump");
    await output.raise();
    return { rows: 7 };
  });
  const Sizes = defineTask({ name: "Sizes" }, () => [1, 2, 3]);
  const answers: unknown[] = [];
  const Dyn = defineTask({ name: "Dyn" }, function* () {
    const [dump, sizes] = yield* all([Dump(), Sizes()]);
    answers.push([dump?.rows ?? null, sizes.length]);
  });
  const line = await pipeline([Dump, Sizes, Dyn], {}, undefined, url);
  await line.work();
  await line.run(Dyn());
  await line.engine.redis.flushall();
  expect(statesOf(await line.run(Dyn()))["Dyn()"]).toBe("complete");
  // Sizes has no output: it ran again.
  expect(answers).toEqual([
    [7, 3],
    [null, 3],
  ]);
  expect(await counted("dump")).toBe(1);
});

test("two runs that ask for each other at the same moment: one fails with the circle, none waits for ever", async () => {
  const Left: () => Task = defineTask({ name: "Left" }, async function* () {
    await meet();
    yield* Right();
  });
  const Middle = defineTask({ name: "Middle", requires: () => [Left()] }, () => {});
  const Right = defineTask({ name: "Right" }, async function* () {
    await meet();
    yield* Middle();
  });
  const [left, middle, right] = [Left(), Middle(), Right()];
  const Root = defineWrapper({ name: "Root", requires: () => [left, right] });
  const line = await pipeline([left.family, middle.family, right.family, Root]);
  // Neither sees the other wait: both are put into the queue before the first waits.
  let arrived = 0;
  const meet = async () => {
    arrived += 1;
    await expect.poll(() => arrived).toBeGreaterThanOrEqual(2);
  };
  await line.work();
  const states = statesOf(await line.run(Root()));
  const failed = [left, right].filter(({ name }) => states[name] === "failed");
  expect(failed).toHaveLength(1);
  const job = await line.engine.queue("default").getJob(failed[0]?.id ?? "");
  expect(job?.failedReason).toMatch(
    /^Tasks depend on each other in a circle: (Left\(\) -> Right\(\) -> Middle\(\) -> Left\(\)|Right\(\) -> Middle\(\) -> Left\(\) -> Right\(\))$/,
  );
  expect(line.errors).toEqual([]);
});

test("the step that makes a job wait finds the circle that no look before it could see", async () => {
  const Part = parts(new Set());
  const [first, second, third] = [Part({ n: 1 }), Part({ n: 2 }), Part({ n: 3 })];
  const { engine, ...line } = await pipeline([Part]);
  const { keys, scripts } = engine;
  const worker = new Worker("default", undefined, {
    connection: engine.redis,
    prefix: keys.prefix,
    autorun: false,
  });
  try {
    // All three are at work, and none waits yet.
    for (const task of [first, second, third]) {
      await submit({ ...line, engine }, task, { signal: AbortSignal.timeout(5_000) });
      await worker.getNextJob(task.id);
    }
    const waits = (task: Task, ...others: Task[]) =>
      scripts.call(
        "await",
        keys.job("default", task.id),
        keys.own,
        task.id,
        task.id,
        "y",
        ...others.flatMap(({ id }) => [keys.job("default", id), id]),
      );
    expect(await waits(first, second)).toBe(1);
    expect(await waits(second, third)).toBe(1);
    expect(await waits(third, second, first)).toEqual(["Part(n=3)", "Part(n=2)", "Part(n=3)"]);
    expect(await waits(third, first)).toEqual(["Part(n=3)", "Part(n=1)", "Part(n=2)", "Part(n=3)"]);
    expect(await engine.redis.exists(`${keys.job("default", third.id)}:dependencies`)).toBe(0);
  } finally {
    await worker.close();
  }
});
