/** The mapping of tasks to BullMQ, on a real Redis with real workers. */
import { expect, test } from "vitest";
import { all } from "../../../src/core/all.ts";
import { defineExternal, defineTask, defineWrapper } from "../../../src/core/define.ts";
import { PermanentError } from "../../../src/core/errors.ts";
import { p } from "../../../src/core/params/p.ts";
import type { FamilyDefinition } from "../../../src/core/task.ts";
import { submit } from "../../../src/queue/submit.ts";
import { flags, pipeline, statesOf } from "../../support/pipeline.ts";

/** Root needs Left and Right, which share Dump: the diamond that BullMQ's own flows lose. */
async function diamond(fail = () => false) {
  const { flag, count, counted, redis } = await flags();
  const order: string[] = [];
  const Dump = defineTask(
    {
      name: "Dump",
      params: { n: p.int() },
      output: ({ n }) => flag(`dump-${n}`),
      queue: "copy",
      retry: { attempts: 1 },
    },
    async ({ params, output }) => {
      if (fail()) throw new Error("the source is down");
      order.push("Dump");
      await count(`Dump-${params.n}`);
      await output.raise();
      return { rows: 7 };
    },
  );
  const side = (name: string) =>
    defineTask(
      {
        name,
        params: { n: p.int() },
        requires: ({ n }) => Dump({ n }),
        output: ({ n }) => flag(`${name}-${n}`),
        queue: "load",
      },
      async ({ input, output }) => {
        expect(await input.exists()).toBe(true);
        order.push(name);
        await count(name);
        await output.raise();
      },
    );
  const Left = side("Left");
  const Right = side("Right");
  const Root = defineWrapper({
    name: "Root",
    params: { n: p.int() },
    requires: ({ n }) => ({ left: Left({ n }), right: Right({ n }) }),
  });
  const families: FamilyDefinition[] = [Dump, Left, Right, Root];
  return { Dump, Left, Right, Root, families, order, counted, redis, flag };
}

test("a shared requirement runs once, before both of its dependents", async () => {
  const { families, Root, order, counted } = await diamond();
  const line = await pipeline(families);
  await line.work();
  const watched = await line.run(Root({ n: 1 }));
  expect(statesOf(watched)).toEqual({
    "Root(n=1)": "complete",
    "Left(n=1)": "complete",
    "Right(n=1)": "complete",
    "Dump(n=1)": "complete",
  });
  expect(order[0]).toBe("Dump");
  expect(await counted("Dump-1")).toBe(1);
  expect(line.errors).toEqual([]);
});

test("a second run of a complete root runs nothing", async () => {
  const { families, Root, counted } = await diamond();
  const line = await pipeline(families);
  await line.work();
  await line.run(Root({ n: 2 }));
  const plan = await submit(line, Root({ n: 2 }), { signal: AbortSignal.timeout(5_000) });
  expect([...plan.tasks.values()].map(({ state }) => state)).toEqual(["complete"]);
  expect(await counted("Dump-2")).toBe(1);
});

test("ten submitters at the same moment run every task once", async () => {
  const { families, Root, counted } = await diamond();
  const line = await pipeline(families);
  await line.work();
  await Promise.all(Array.from({ length: 10 }, () => line.run(Root({ n: 3 }))));
  expect(await counted("Dump-3")).toBe(1);
  expect(await counted("Left")).toBe(1);
  expect(await counted("Right")).toBe(1);
});

test("a failed requirement leaves its ancestors waiting; its retry releases both parents", async () => {
  let broken = true;
  const { families, Root, Dump, order } = await diamond(() => broken);
  const line = await pipeline(families);
  await line.work();
  const stuck = await line.run(Root({ n: 4 }));
  expect(statesOf(stuck)).toEqual({
    "Root(n=4)": "blocked",
    "Left(n=4)": "blocked",
    "Right(n=4)": "blocked",
    "Dump(n=4)": "failed",
  });
  const job = await line.engine.queue("copy").getJob(Dump({ n: 4 }).id);
  expect(job?.failedReason).toBe("the source is down");
  broken = false;
  await job?.retry("failed");
  await expect
    .poll(async () => statesOf(await line.run(Root({ n: 4 })))["Root(n=4)"])
    .toBe("complete");
  expect(order.sort()).toEqual(["Dump", "Left", "Right"]);
});

test("a worker that starts late picks up what waits", async () => {
  const { families, Root } = await diamond();
  const line = await pipeline(families);
  await submit(line, Root({ n: 5 }), { signal: AbortSignal.timeout(5_000) });
  await line.work();
  expect(statesOf(await line.run(Root({ n: 5 })))["Root(n=5)"]).toBe("complete");
});

test("a wiped Redis re-runs nothing that exists", async () => {
  const { families, Root, counted, redis } = await diamond();
  const line = await pipeline(families);
  await line.work();
  await line.run(Root({ n: 6 }));
  const keys = await redis.keys(`${line.engine.keys.prefix}:sluice:*`);
  await redis.del(...keys);
  expect(statesOf(await line.run(Root({ n: 6 })))["Root(n=6)"]).toBe("complete");
  expect(await counted("Dump-6")).toBe(1);
  expect(await counted("Left")).toBe(1);
});

test("a generator waits for what it yields, gets typed answers, and resumes", async () => {
  const { count, counted } = await flags();
  const Leaf = defineTask(
    { name: "Leaf", params: { n: p.int({ min: 0, max: 9 }) } },
    async ({ params }) => {
      await count("leaf");
      return { square: params.n ** 2 };
    },
  );
  const Dyn = defineTask({ name: "Dyn" }, async function* () {
    await count("dyn");
    const two = yield* Leaf({ n: 2 });
    const [three, four] = yield* all([Leaf({ n: 3 }), Leaf({ n: 4 })]);
    return { sum: two.square + three.square + four.square };
  });
  const line = await pipeline([Leaf, Dyn]);
  await line.work();
  const watched = await line.run(Dyn());
  expect(statesOf(watched)).toEqual({
    "Dyn()": "complete",
    "Leaf(n=2)": "complete",
    "Leaf(n=3)": "complete",
    "Leaf(n=4)": "complete",
  });
  const answer = await line.engine.redis.hget(line.engine.keys.done(Dyn().id), "answer");
  expect(JSON.parse(answer ?? "")).toEqual({ sum: 29 });
  expect(await counted("leaf")).toBe(3);
  expect(await counted("dyn")).toBe(3);
});

test("a failed task that was yielded is retried by the next run of the root", async () => {
  let broken = true;
  const Leaf = defineTask({ name: "Leaf", retry: { attempts: 1 } }, () => {
    if (broken) throw new Error("not today");
    return 1;
  });
  const Dyn = defineTask({ name: "Dyn" }, function* () {
    return yield* Leaf();
  });
  const line = await pipeline([Leaf, Dyn]);
  await line.work();
  expect(statesOf(await line.run(Dyn()))).toEqual({ "Dyn()": "blocked", "Leaf()": "failed" });
  broken = false;
  expect(statesOf(await line.run(Dyn()))).toEqual({ "Dyn()": "complete", "Leaf()": "complete" });
});

test("a run that leaves its output missing fails and names the output", async () => {
  const { flag } = await flags();
  const Careless = defineTask({ name: "Careless", output: () => flag("never") }, () => {});
  const line = await pipeline([Careless]);
  await line.work();
  expect(statesOf(await line.run(Careless()))).toEqual({ "Careless()": "failed" });
  const job = await line.engine.queue("default").getJob(Careless().id);
  expect(job?.failedReason).toBe(
    "Careless(): run() ended, but its output is missing: flag never. Write it in run(), or correct output()",
  );
  expect(job?.attemptsMade).toBe(1);
});

test("an error that may pass is retried with a backoff; a permanent one is not", async () => {
  let tries = 0;
  const Flaky = defineTask({ name: "Flaky", retry: { attempts: 3, backoff: "10ms..20ms" } }, () => {
    tries += 1;
    if (tries < 3) throw new Error("try again");
  });
  const Hopeless = defineTask({ name: "Hopeless", retry: { attempts: 3, backoff: "10ms" } }, () => {
    throw new PermanentError("BAD_DATA", "line 42");
  });
  const line = await pipeline([Flaky, Hopeless]);
  await line.work();
  expect(statesOf(await line.run(Flaky()))).toEqual({ "Flaky()": "complete" });
  expect(tries).toBe(3);
  expect(statesOf(await line.run(Hopeless()))).toEqual({ "Hopeless()": "failed" });
  const job = await line.engine.queue("default").getJob(Hopeless().id);
  expect(job?.attemptsMade).toBe(1);
});

test("an external task is waited for and never run", async () => {
  const { flag } = await flags();
  const Feed = defineExternal({ name: "Feed", output: () => flag("feed") });
  const After = defineTask({ name: "After", requires: () => Feed() }, () => {});
  const line = await pipeline([Feed, After], { externalPoll: 50 });
  await line.work();
  expect(statesOf(await line.run(After()))["After()"]).toBe("blocked");
  await Feed()
    .outputs.bind({
      task: Feed(),
      stores: line.stores,
      signal: AbortSignal.timeout(1_000),
    })
    .raise();
  await expect.poll(async () => statesOf(await line.run(After()))["After()"]).toBe("complete");
});

test("INV16 a stopping worker hands its job back without using an attempt", async () => {
  const { count, counted } = await flags();
  const Long = defineTask({ name: "Long" }, async ({ signal }) => {
    if ((await count("long")) > 1) return;
    await new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(new Error("aborted")));
    });
  });
  const line = await pipeline([Long]);
  const first = await line.work();
  await submit(line, Long(), { signal: AbortSignal.timeout(5_000) });
  await expect.poll(() => counted("long")).toBe(1);
  await first.stop(0);
  const job = await line.engine.queue("default").getJob(Long().id);
  expect([job?.attemptsMade, await job?.getState()]).toEqual([0, "prioritized"]);
  await line.work();
  expect(statesOf(await line.run(Long()))).toEqual({ "Long()": "complete" });
});

test("hooks hear of success, retry and failure once each, and cannot fail a task", async () => {
  const heard: string[] = [];
  let tries = 0;
  const Flaky = defineTask({ name: "Flaky", retry: { attempts: 2, backoff: "1ms" } }, () => {
    tries += 1;
    if (tries === 1) throw new Error("once");
    return { rows: 3 };
  });
  const Hopeless = defineTask({ name: "Hopeless" }, () => {
    throw new PermanentError("BAD_DATA", "line 42");
  });
  const line = await pipeline([Flaky, Hopeless]);
  line.events.on("task:retrying", ({ task }) => void heard.push(`retrying ${task.name}`));
  line.events.on("task:succeeded", ({ task, rows }) => {
    heard.push(`succeeded ${task.name} ${rows}`);
    throw new Error("a hook that throws");
  });
  line.events.on("task:failed", ({ error }) => void heard.push(`failed ${error.fingerprint}`));
  await line.work();
  await line.run(Flaky());
  await line.run(Hopeless());
  expect(heard).toEqual(["retrying Flaky()", "succeeded Flaky() 3", "failed Hopeless:BAD_DATA"]);
  expect(line.errors.map(String)).toEqual(["Error: a hook that throws"]);
});

test("a failure of an attempt that lost its job to another worker is told nobody: it is superseded", async () => {
  const { redis } = await flags();
  let tries = 0;
  const Late = defineTask({ name: "Late", retry: { attempts: 1 } }, async () => {
    tries += 1;
    if (tries > 1) return;
    await redis.set(`${line.engine.keys.job("default", Late().id)}:lock`, "another", "PX", 200);
    throw new Error("a failure that does not count");
  });
  const line = await pipeline([Late]);
  const told: string[] = [];
  line.events.on("task:failed", () => void told.push("failed"));
  line.events.on("task:retrying", () => void told.push("retrying"));
  line.events.on("task:released", ({ reason }) => void told.push(reason));
  await line.work({ lockDuration: 400, stalledInterval: 200 });
  expect(statesOf(await line.run(Late()))).toEqual({ "Late()": "complete" });
  expect([tries, told]).toEqual([2, ["superseded"]]);
});

test("what is complete leaves its record, and no key about who waited for it or who ran it", async () => {
  const Leaf = defineTask({ name: "Leaf" }, () => {});
  const Root = defineTask({ name: "Root", requires: () => [Leaf()] }, () => {});
  const line = await pipeline([Leaf, Root]);
  const { redis, keys } = line.engine;
  await submit(line, Root(), { signal: AbortSignal.timeout(20_000) });
  expect(await redis.exists(keys.waiters(Leaf().id))).toBe(1);
  await line.work();
  await line.run(Root());
  for (const { id } of [Leaf(), Root()]) {
    const found = await Promise.all(
      [keys.done(id), keys.waiters(id), keys.attempt(id)].map((key) => redis.exists(key)),
    );
    expect(found).toEqual([1, 0, 0]);
  }
});
