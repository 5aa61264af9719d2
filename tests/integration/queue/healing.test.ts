/** What operators and accidents do to Redis, and how the next submit puts it right. */
import { expect, test } from "vitest";
import { defineExternal, defineTask, defineWrapper } from "../../../src/core/define.ts";
import { PermanentError } from "../../../src/core/errors.ts";
import { p } from "../../../src/core/params/p.ts";
import type { Task } from "../../../src/core/task.ts";
import { failedTasks } from "../../../src/queue/failed-tasks.ts";
import { adoption, completion } from "../../../src/queue/completion.ts";
import { submit } from "../../../src/queue/submit.ts";
import { openStores } from "../../../src/stores/open-stores.ts";
import { flags, pipeline, statesOf } from "../../support/pipeline.ts";
import { privateRedis } from "../../support/private-redis.ts";

const soon = () => ({ signal: AbortSignal.timeout(10_000) });

/** Root <- Middle <- Leaf, counted. */
async function chain() {
  const { flag, count, counted } = await flags();
  const name = p.text();
  const Leaf = defineTask({ name: "Leaf", params: { name } }, async (context) => {
    await count(`leaf ${context.params.name}`);
  });
  const Middle = defineTask(
    { name: "Middle", queue: "load", requires: () => [Leaf({ name: "a" }), Leaf({ name: "b" })] },
    () => count("middle"),
  );
  const Root = defineWrapper({ name: "Root", queue: "sql", requires: () => Middle() });
  const line = await pipeline([Leaf, Middle, Root]);
  const job = (task: Task) => line.engine.queue(task.family.queue).getJob(task.id);
  return { line, Leaf, Middle, Root, flag, counted, job };
}

const complete = {
  "Root()": "complete",
  "Middle()": "complete",
  "Leaf(name=a)": "complete",
  "Leaf(name=b)": "complete",
};

test("an expansion that died between insert and link is linked by the next submit", async () => {
  const { line, Leaf, Middle, Root, counted, job } = await chain();
  await submit(line, Root(), soon());
  const { engine } = line;
  // As if link() had never run: no edges, and nobody who would release.
  for (const task of [Middle(), Root()]) {
    await engine.redis.del(`${engine.keys.job(task.family.queue, task.id)}:dependencies`);
  }
  for (const task of [Leaf({ name: "a" }), Leaf({ name: "b" }), Middle()]) {
    await engine.redis.del(`${engine.keys.own}waiters:${task.id}`);
  }
  await line.work();
  await expect.poll(() => counted("leaf a")).toBe(1);
  await expect.poll(() => counted("leaf b")).toBe(1);
  expect(await (await job(Middle()))?.getState()).toBe("waiting-children");
  expect(statesOf(await line.run(Root()))).toEqual(complete);
  expect(await counted("middle")).toBe(1);
});

test("a job that an operator removed is inserted again by the next submit", async () => {
  const { line, Leaf, Middle, Root, counted, job } = await chain();
  await submit(line, Root(), soon());
  await (await job(Leaf({ name: "a" })))?.remove();
  await submit(line, Root(), soon());
  // With its children, which is Bull Board's default.
  await (await job(Middle()))?.remove({ removeChildren: true });
  expect(await job(Leaf({ name: "b" }))).toBeUndefined();
  await line.work();
  expect(statesOf(await line.run(Root()))).toEqual(complete);
  expect(await counted("middle")).toBe(1);
});

test("a record that is deleted while parents wait makes its task run again, before them", async () => {
  const { line, Leaf, Root, counted } = await chain();
  const { engine } = line;
  const worker = await line.work({ queues: ["default"] });
  await submit(line, Root(), soon());
  await expect.poll(() => engine.queue("load").getPrioritizedCount()).toBe(1);
  await worker.stop(0);
  expect(await engine.redis.del(engine.keys.done(Leaf({ name: "a" }).id))).toBe(1);
  // Middle is released already: its own gate must find out, wait, and have Leaf run, without a submit.
  await line.work();
  await expect.poll(() => engine.redis.exists(engine.keys.done(Root().id))).toBe(1);
  expect([await counted("leaf a"), await counted("leaf b"), await counted("middle")]).toEqual([
    2, 1, 1,
  ]);
});

test("a task that completed on its second attempt, and lost its record, runs again", async () => {
  let tries = 0;
  const Flaky = defineTask({ name: "Flaky", retry: { backoff: "1ms" } }, () => {
    tries += 1;
    if (tries === 1) throw new Error("once");
  });
  const line = await pipeline([Flaky]);
  await line.work();
  await line.run(Flaky());
  await expect
    .poll(async () => (await line.engine.queue("default").getJob(Flaky().id))?.getState())
    .toBe("completed");
  await line.engine.redis.del(line.engine.keys.done(Flaky().id));
  expect(statesOf(await line.run(Flaky()))).toEqual({ "Flaky()": "complete" });
  expect(tries).toBe(3);
});

test("a task that a run asked for and whose job was removed is asked for again", async () => {
  const { count, counted } = await flags();
  const Leaf = defineTask({ name: "Leaf", queue: "copy" }, () => 7);
  const Dynamic = defineTask({ name: "Dynamic" }, async function* () {
    await count("dynamic");
    return yield* Leaf();
  });
  const line = await pipeline([Leaf, Dynamic]);
  await line.work({ queues: ["default"] });
  await submit(line, Dynamic(), soon());
  await expect
    .poll(async () => (await line.engine.queue("default").getJob(Dynamic().id))?.getState())
    .toBe("waiting-children");
  await (await line.engine.queue("copy").getJob(Leaf().id))?.remove();
  await line.work({ queues: ["copy"] });
  expect(statesOf(await line.run(Dynamic()))).toEqual({
    "Dynamic()": "complete",
    "Leaf()": "complete",
  });
  expect(await counted("dynamic")).toBe(3);
});

test("only the holder of the lease records; an output is adopted when the lease is a dead attempt's", async () => {
  const { flag } = await flags();
  const Dump = defineTask({ name: "Dump", output: () => flag("dump") }, () => {});
  const line = await pipeline([Dump]);
  const { engine } = line;
  await Dump()
    .outputs.bind({ task: Dump(), stores: line.stores, ...soon() })
    .raise();
  const attempt = engine.keys.attempt(Dump().id);
  const adopt = async (expires: number) => {
    await engine.redis.hset(attempt, { holder: "a dead attempt", expires });
    return engine.scripts.send(adoption(engine, Dump()));
  };
  expect(await adopt(Date.now() + 60_000)).toEqual([-1]);
  expect(await engine.redis.exists(engine.keys.done(Dump().id))).toBe(0);
  const late = completion(engine, Dump(), null, {
    attempt: "one that lost its lease",
    at: 1,
    needs: "",
    job: [],
  });
  expect(await engine.scripts.send(late)).toEqual([-1]);
  expect(await engine.redis.exists(engine.keys.done(Dump().id))).toBe(0);
  expect(await adopt(Date.now() - 1)).toEqual([0]);
  expect(await engine.redis.exists(engine.keys.done(Dump().id), attempt)).toBe(1);
});

test("a job that waits is released when its own task turns out to be complete", async () => {
  const { line, Middle, Root, job } = await chain();
  await submit(line, Root(), soon());
  await line.engine.scripts.send(adoption(line.engine, Middle()));
  expect(await (await job(Middle()))?.getState()).toBe("prioritized");
  await line.work({ queues: ["load", "sql"] });
  expect(statesOf(await line.run(Root()))).toMatchObject({ "Root()": "complete" });
  await expect.poll(async () => (await job(Middle()))?.getState()).toBe("completed");
});

test("a task that failed and whose output is there after all is no failure any more", async () => {
  const { flag } = await flags();
  const Late = defineTask({ name: "Late", output: () => flag("late") }, () => {
    throw new PermanentError("BROKEN", "the answer was lost");
  });
  const After = defineTask({ name: "After", requires: () => Late() }, () => {});
  const line = await pipeline([Late, After]);
  await line.work();
  const failed = { "Late()": "failed", "After()": "blocked" };
  expect(statesOf(await line.run(After()))).toEqual(failed);
  expect(await failedTasks(line)).toHaveLength(1);

  const { stores } = line;
  await flag("late")
    .bind({ task: Late(), stores, ...soon() })
    .raise();
  const done = { "Late()": "complete", "After()": "complete" };
  expect(statesOf(await line.run(After()))).toEqual(done);
  await expect.poll(() => failedTasks(line)).toEqual([]);
});

test("a Redis that forgot its scripts gets them again", async () => {
  const { line, Leaf, Root } = await chain();
  await submit(line, Leaf({ name: "before" }), soon());
  await line.engine.redis.script("FLUSH");
  await submit(line, Root(), soon());
  await line.work();
  expect(statesOf(await line.run(Root()))).toEqual(complete);
});

test("what a Redis without memory refused of an expansion is inserted by the next submit", async () => {
  const n = p.int();
  const Leaf = defineTask({ name: "Leaf", params: { n } }, () => {});
  // More than are sent together.
  const requires = () => Array.from({ length: 120 }, (_, each) => Leaf({ n: each }));
  const Root = defineWrapper({ name: "Root", requires });
  const { url } = await privateRedis();
  const line = await pipeline([Leaf, Root], {}, openStores({}), url);
  await line.engine.redis.config("SET", "maxmemory", "1mb");
  await expect(submit(line, Root(), soon())).rejects.toThrow("OOM");
  await line.engine.redis.config("SET", "maxmemory", "0");
  await submit(line, Root(), soon());
  await line.work();
  expect(Object.values(statesOf(await line.run(Root())))).toEqual(Array(121).fill("complete"));
});

test("another task with the same id is an error, never complete", async () => {
  const { line, Leaf, Root } = await chain();
  const { engine } = line;
  const id = Leaf({ name: "a" }).id;
  await engine.redis.hset(engine.keys.done(id), { name: "Leaf(name=other)", answer: "null" });
  await expect(submit(line, Root(), soon())).rejects.toThrow(
    `Leaf(name=a) has the same task id as another task (${id}): change a parameter's name or value`,
  );
  await engine.redis.del(engine.keys.done(id));
  await submit(line, Root(), soon());
  await engine.redis.hset(engine.keys.job("default", id), "name", "Leaf(name=other)");
  await expect(submit(line, Root(), soon())).rejects.toThrow(
    "has the same task id as another task",
  );
  // A worker that is about to run it finds the same.
  await engine.redis.hset(engine.keys.done(id), { name: "Leaf(name=other)", answer: "null" });
  await line.work();
  await expect
    .poll(async () => (await engine.queue("default").getJob(id))?.failedReason)
    .toBe(
      "Leaf(name=a) has the same task id as Leaf(name=other), which is complete: change a parameter's name or value",
    );
});

test("job data that was tampered with is refused, and runs nothing", async () => {
  const { line, Leaf, Root, counted } = await chain();
  const { engine } = line;
  await submit(line, Root(), soon());
  const [a, b] = [Leaf({ name: "a" }).id, Leaf({ name: "b" }).id];
  const tampered = { family: "Leaf", params: { name: "evil" }, root: "x" };
  await engine.redis.hset(engine.keys.job("default", a), "data", JSON.stringify(tampered));
  await engine.redis.hset(engine.keys.job("default", b), "data", '{"run":"process.exit()"}');
  await line.work();
  const reasonOf = async (id: string) => (await engine.queue("default").getJob(id))?.failedReason;
  await expect
    .poll(() => reasonOf(a))
    .toBe(
      `Job ${a} carries the parameters of Leaf(name=evil), whose id is ${Leaf({ name: "evil" }).id}: remove it, and use "sluice run"`,
    );
  await expect
    .poll(() => reasonOf(b))
    .toBe(
      `Job ${b} was not enqueued by Sluice (its data has no family and parameters): remove it, and use "sluice run"`,
    );
  expect(await counted("leaf evil")).toBe(0);
});

test("a requirement whose family the project does not know is refused before anything is enqueued", async () => {
  const Known = defineWrapper({ name: "Known", requires: () => Forgotten() });
  const Forgotten = defineTask({ name: "Forgotten", requires: () => [] }, () => {});
  const line = await pipeline([Known]);
  await expect(submit(line, Known(), soon())).rejects.toThrow(
    "Forgotten() is needed, but no worker of this project could run it: add Forgotten to the tasks of defineConfig",
  );
  expect(await line.engine.queue("default").getJobCountByTypes()).toBe(0);
});

test("a run that asks for itself, or for what waits for it, is a circle and not a deadlock", async () => {
  const Self = defineTask({ name: "Self" }, function* (): Generator<Task, void> {
    yield Self();
  });
  const Above: () => Task = () => Upper();
  const Lower = defineTask({ name: "Lower" }, function* () {
    yield Above();
  });
  const Upper = defineTask({ name: "Upper", requires: (): Task => Lower() }, () => {});
  const line = await pipeline([Self, Lower, Upper]);
  await line.work();
  const reasons: unknown[] = [];
  line.events.on("task:failed", ({ error }) => void reasons.push(error.message));
  expect(statesOf(await line.run(Self()))).toEqual({ "Self()": "failed" });
  expect(statesOf(await line.run(Upper()))).toEqual({ "Upper()": "blocked", "Lower()": "failed" });
  expect(reasons).toEqual([
    "Tasks depend on each other in a circle: Self() -> Self()",
    "Tasks depend on each other in a circle: Upper() -> Lower() -> Upper()",
  ]);
});

test.each([
  ["a function", () => () => {}, "it is a function"],
  ["something too large", () => "x".repeat(70_000), "it has 70002 characters, more than 65536"],
  ["a bigint", () => 1n, "Do not know how to serialize a BigInt"],
])("an answer that is %s is an error that says so", async (_, run: () => unknown, why) => {
  const Wrong = defineTask({ name: "Wrong" }, run);
  const line = await pipeline([Wrong]);
  await line.work();
  expect(statesOf(await line.run(Wrong()))).toEqual({ "Wrong()": "failed" });
  expect((await line.engine.queue("default").getJob(Wrong().id))?.failedReason).toBe(
    `Wrong(): run() returned something that cannot be kept as its answer (${why}): return a small JSON value, and write data to an output`,
  );
});

test("secrets in an error reach neither hooks nor the job", async () => {
  const Leaky = defineTask({ name: "Leaky", retry: { attempts: 1 } }, () => {
    throw new Error("cannot reach postgres://app:hunter2@db/shop");
  });
  const line = await pipeline([Leaky]);
  const heard: string[] = [];
  line.events.on("task:failed", (event) => void heard.push(JSON.stringify(event)));
  await line.work();
  await line.run(Leaky());
  const job = await line.engine.queue("default").getJob(Leaky().id);
  expect(heard[0]).toContain("postgres://app:***@db/shop");
  expect(heard.join() + JSON.stringify(job)).not.toContain("hunter2");
});

test("a generator that is left waiting runs its finally blocks", async () => {
  const closed: string[] = [];
  const Feed = defineExternal({
    name: "Feed",
    output: () => ({
      kind: "never",
      bind: () => ({ location: "never", exists: async () => false }),
    }),
  });
  const Dynamic = defineTask({ name: "Dynamic" }, function* () {
    try {
      yield* Feed();
    } finally {
      closed.push("closed");
    }
  });
  const line = await pipeline([Feed, Dynamic]);
  await line.work();
  expect(statesOf(await line.run(Dynamic()))["Dynamic()"]).toBe("blocked");
  expect(closed).toEqual(["closed"]);
});
