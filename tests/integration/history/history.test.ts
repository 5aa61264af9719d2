/** History: every attempt once, apart from BullMQ's jobs, and never at a task's expense. */
import { expect, test } from "vitest";
import { all } from "../../../src/core/all.ts";
import { defineTask } from "../../../src/core/define.ts";
import { PermanentError } from "../../../src/core/errors.ts";
import { p } from "../../../src/core/params/p.ts";
import type { FamilyDefinition } from "../../../src/core/task.ts";
import { recordHistory } from "../../../src/queue/history/record-history.ts";
import { readAttempts } from "../../../src/queue/history/read-attempts.ts";
import { readRuns, recordRun } from "../../../src/queue/history/runs.ts";
import { trimHistory } from "../../../src/queue/history/trim-history.ts";
import { planRoot } from "../../../src/queue/submit.ts";
import { pipeline } from "../../support/pipeline.ts";
import { privateRedis } from "../../support/private-redis.ts";
import { illegalStep } from "./legal-path.ts";

async function recorded(families: readonly FamilyDefinition[], url?: string) {
  const line = await pipeline(families, {}, undefined, url);
  const drops: { count: number; reason: string }[] = [];
  const history = recordHistory(line.events, line.engine, {
    worker: "here:1",
    version: "abc123",
    onDropped: (count, reason) => drops.push({ count, reason }),
  });
  const attempts = async (id: string) => {
    await line.events.drain(1_000);
    await history.close(1_000);
    return readAttempts(line.engine, id);
  };
  return { line, history, drops, attempts };
}

/** Fails as often as it is told, then returns 5 rows. */
function flaky(failures: number, attempts = 5) {
  let left = failures;
  return defineTask(
    { name: "Flaky", params: { n: p.int() }, retry: { attempts, backoff: "1ms..1ms" } },
    () => {
      left -= 1;
      if (left >= 0) throw new Error("the source is down: password=hunter2");
      return { rows: 5, bytes: 70 };
    },
  );
}

test("every attempt is recorded once, with who ran it and how it ended", async () => {
  const Flaky = flaky(2);
  const { line, attempts } = await recorded([Flaky]);
  await line.work();
  const task = Flaky({ n: 1 });
  await line.run(task);
  const found = await attempts(task.id);
  expect(found).toMatchObject([
    { number: 1, outcome: "retrying", error: { code: "ERROR", fingerprint: "Flaky:ERROR" } },
    { number: 2, outcome: "retrying" },
    { number: 3, outcome: "succeeded", rows: 5, bytes: 70 },
  ]);
  for (const each of found) {
    expect(each).toMatchObject({
      name: "Flaky(n=1)",
      root: task.id,
      queue: "default",
      worker: "here:1",
      version: "abc123",
    });
    expect(each.ended).toBeGreaterThanOrEqual(each.started);
    expect(each.seconds).toBeGreaterThan(0);
  }
  expect(JSON.stringify(found)).not.toContain("hunter2");
  expect(new Set(found.map(({ attempt }) => attempt)).size).toBe(3);
});

test("history survives the removal of every BullMQ job", async () => {
  const Flaky = flaky(1);
  const { line, attempts } = await recorded([Flaky]);
  await line.work();
  const task = Flaky({ n: 2 });
  await line.run(task);
  const before = await attempts(task.id);
  await line.engine.queue("default").obliterate({ force: true });
  expect(await line.engine.queue("default").getJob(task.id)).toBeUndefined();
  expect(await attempts(task.id)).toEqual(before);
  expect(before).toHaveLength(2);
});

test("a part that is written twice counts once", async () => {
  const Flaky = flaky(1);
  const { line, attempts } = await recorded([Flaky]);
  await line.work();
  const task = Flaky({ n: 3 });
  await line.run(task);
  const before = await attempts(task.id);
  const key = line.engine.keys.history(`task:${task.id}`);
  await line.engine.redis.rpush(key, ...(await line.engine.redis.lrange(key, 0, -1)));
  expect(await attempts(task.id)).toEqual(before);
});

test("an attempt that yields and waits has an end, and the next one a start (INV19)", async () => {
  const Leaf = defineTask({ name: "Leaf", params: { n: p.int() } }, () => ({ rows: 1 }));
  const Root = defineTask({ name: "Root" }, function* () {
    yield* all([Leaf({ n: 1 }), Leaf({ n: 2 })]);
    yield* Leaf({ n: 3 });
    return { rows: 3 };
  });
  const { line, attempts } = await recorded([Leaf, Root]);
  await line.work();
  await line.run(Root());
  const found = await attempts(Root().id);
  expect(found.map(({ outcome }) => outcome)).toEqual(["blocked", "blocked", "succeeded"]);
  for (const id of [Root().id, ...[1, 2, 3].map((n) => Leaf({ n }).id)]) {
    expect(illegalStep(await attempts(id))).toBeUndefined();
  }
});

test("what failed for good ends as failed, and starts again when it is retried (INV19)", async () => {
  let rowIsBad = true;
  const Load = defineTask({ name: "Load" }, () => {
    if (rowIsBad) throw new PermanentError("BAD_ROW", "line 3: not a number");
  });
  const { line, attempts } = await recorded([Load]);
  await line.work();
  await line.run(Load());
  expect(await attempts(Load().id)).toMatchObject([
    { outcome: "failed", number: 1, error: { code: "BAD_ROW", message: "line 3: not a number" } },
  ]);
  rowIsBad = false;
  await line.run(Load());
  const found = await attempts(Load().id);
  expect(found.map(({ outcome }) => outcome)).toEqual(["failed", "succeeded"]);
  expect(illegalStep(found)).toBeUndefined();
});

test("INV19: the check itself refuses a run after completion and two ends of one attempt", () => {
  const attempt = { number: 1, started: 1, ended: 2 };
  expect(
    illegalStep([
      { ...attempt, attempt: "a", outcome: "succeeded" },
      { ...attempt, attempt: "b", started: 3, ended: 4, outcome: "succeeded" },
    ]),
  ).toBe("b began after a had completed the task");
  expect(illegalStep([{ ...attempt, attempt: "a", ended: 0, outcome: "failed" }])).toBe(
    "a ended before it began",
  );
});

test("a history that cannot be written changes no task, and says what was lost", async () => {
  const Flaky = flaky(1);
  const { line, history, drops } = await recorded([Flaky]);
  const task = Flaky({ n: 4 });
  await line.engine.redis.set(line.engine.keys.history(`task:${task.id}`), "not a list");
  await line.engine.redis.set(line.engine.keys.history("tasks"), "not a sorted set");
  await line.work();
  const watched = await line.run(task);
  expect(watched.get(task.id)?.state).toBe("complete");
  await history.close(1_000);
  expect(drops.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThanOrEqual(2);
  expect(drops[0]?.reason).toMatch(/WRONGTYPE/);
  expect(line.errors).toEqual([]);
});

test("while Redis is away memory is bounded: the newest parts are dropped, the rest is written", async () => {
  const Flaky = flaky(0);
  const server = await privateRedis();
  const { line, history, drops } = await recorded([Flaky], server.url);
  const { redis, keys } = line.engine;
  await redis.ping();
  process.kill(server.pid, "SIGSTOP");
  for (let n = 0; n < 10_500; n += 1) {
    line.events.emit("task:started", {
      task: { id: `Flaky_${n}`, name: "Flaky", family: "Flaky" },
      queue: "default",
      root: "Flaky",
      attempt: { id: `attempt-${n}`, number: 1 },
    });
  }
  await line.events.drain(1_000);
  const before = performance.now();
  await history.close(100);
  expect(performance.now() - before).toBeLessThan(1_000);
  process.kill(server.pid, "SIGCONT");
  await history.close(10_000);
  // One batch was under way, and 10,000 waited.
  expect(drops).toEqual([{ count: 400, reason: "more than 10000 waited for Redis" }]);
  expect(await redis.zcard(keys.history("tasks"))).toBe(10_100);
  expect(await redis.exists(keys.history("task:Flaky_0"))).toBe(1);
  expect(await redis.exists(keys.history("task:Flaky_10499"))).toBe(0);
});

test("history is trimmed by the age of a task's last attempt", async () => {
  const Flaky = flaky(0);
  const { line, attempts } = await recorded([Flaky]);
  await line.work();
  const [old, recent] = [Flaky({ n: 5 }), Flaky({ n: 6 })];
  for (const task of [old, recent]) {
    await recordRun(
      line.engine,
      await planRoot(line, task, { signal: AbortSignal.timeout(5_000) }),
      {
        kind: "run",
        by: "ann@laptop",
      },
    );
    await line.run(task);
    await attempts(task.id);
  }
  const { redis, keys } = line.engine;
  const now = Date.now();
  await redis.zadd(keys.history("tasks"), now - 91 * 86_400_000, old.id);
  expect(await trimHistory(line.engine, { days: 90 })).toBe(1);
  expect(await attempts(old.id)).toEqual([]);
  expect(await attempts(recent.id)).toHaveLength(1);
  expect(await readRuns(line.engine, { limit: 10 })).toHaveLength(2);
  // In 91 days nothing is left, and no key either.
  expect(await trimHistory(line.engine, { days: 90, now: now + 91 * 86_400_000 })).toBe(1);
  expect(await readRuns(line.engine, { limit: 10 })).toEqual([]);
  expect(await redis.keys(`${keys.history("task")}*`)).toEqual([]);
});

test("a run is recorded with who asked and what the plan found", async () => {
  const Flaky = flaky(0);
  const { line } = await recorded([Flaky]);
  const signal = AbortSignal.timeout(5_000);
  for (const n of [7, 8]) {
    const plan = await planRoot(line, Flaky({ n }), { signal });
    await recordRun(line.engine, plan, { kind: "run", by: "ann@laptop" });
  }
  const found = await readRuns(line.engine, { limit: 1, root: Flaky({ n: 7 }).id });
  expect(found).toMatchObject([
    { kind: "run", name: "Flaky(n=7)", by: "ann@laptop", found: { absent: 1 } },
  ]);
  const newest = await readRuns(line.engine, { limit: 5 });
  expect(newest.map(({ name }) => name)).toEqual(["Flaky(n=8)", "Flaky(n=7)"]);
});
