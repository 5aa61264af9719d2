/** Runs that wait for tasks they yield: what they see of failures, and how often they may start. */
import { expect, test } from "vitest";
import { all } from "../../../src/core/all.ts";
import { defineTask } from "../../../src/core/define.ts";
import { DependencyFailedError } from "../../../src/core/dependency-failed.ts";
import { PermanentError } from "../../../src/core/errors.ts";
import { p } from "../../../src/core/params/p.ts";
import { flags, pipeline, statesOf } from "../../support/pipeline.ts";

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
