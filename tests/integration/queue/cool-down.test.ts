/** What the ticks of a schedule retry, and when they leave it alone. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { defineTask } from "../../../src/core/define.ts";
import { PermanentError } from "../../../src/core/errors.ts";
import type { RetryRule } from "../../../src/core/schedule.ts";
import { submit } from "../../../src/queue/submit.ts";
import { flags, pipeline } from "../../support/pipeline.ts";

/** A COPY that fails, for good each time, until it is healed; and what a tick or a person does. */
async function failing() {
  const { count, counted } = await flags();
  let healed = false;
  const Copy = defineTask({ name: "Copy", retry: { attempts: 3 } }, async () => {
    await count("copy");
    if (!healed) throw new PermanentError("BAD_DATA", "line 42");
  });
  const line = await pipeline([Copy]);
  await line.work();
  const { engine } = line;
  const state = async () => (await engine.queue("default").getJob(Copy().id))?.getState();
  const submitted = async (retryFailed?: RetryRule) => {
    const { retried } = await submit(line, Copy(), {
      signal: AbortSignal.timeout(10_000),
      ...(retryFailed && { retryFailed }),
    });
    await expect.poll(state).toMatch(/failed|completed/);
    return retried.length;
  };
  return {
    runs: () => counted("copy"),
    heal: () => (healed = true),
    tick: submitted,
    person: () => submitted(),
    /** As the board does it: BullMQ's retry, and nothing of ours. */
    retryInBoard: async () => {
      const before = await counted("copy");
      await (await engine.queue("default").getJob(Copy().id))?.retry("failed");
      await expect.poll(() => counted("copy")).toBe(before + 1);
      await expect.poll(state).toBe("failed");
    },
    kept: (fields: Record<string, string>) =>
      engine.redis.hset(engine.keys.attempt(Copy().id), fields),
    ticksKept: () => engine.redis.hget(engine.keys.attempt(Copy().id), "ticks"),
    isKept: () => engine.redis.exists(engine.keys.attempt(Copy().id)),
    state,
  };
}

test("a tick leaves a failed task alone until its cool-down is over; a person does not wait", async () => {
  const { tick, person, runs } = await failing();
  const rule = { after: 5_000, times: 10 };
  await tick(rule);
  expect([await tick(rule), await runs()]).toEqual([0, 1]);
  await sleep(5_100);
  expect([await tick(rule), await runs()]).toEqual([1, 2]);
  expect([await tick(rule), await runs()]).toEqual([0, 2]);
  expect([await person(), await runs()]).toEqual([1, 3]);
});

test("ticks give up after so many retries, until a person retries", async () => {
  const { tick, person, runs, ticksKept } = await failing();
  const rule = { after: 0, times: 2 };
  await tick(rule);
  expect([await tick(rule), await tick(rule), await tick(rule), await tick(rule)]).toEqual([
    1, 1, 0, 0,
  ]);
  expect([await runs(), await ticksKept()]).toEqual([3, "2"]);
  expect([await person(), await runs()]).toEqual([1, 4]);
  expect([await tick(rule), await tick(rule), await tick(rule)]).toEqual([1, 1, 0]);
  expect(await runs()).toBe(6);
});

test("Retry in Bull Board is a person's: ticks count anew, and what was cancelled is held no more", async () => {
  const { tick, runs, retryInBoard, kept } = await failing();
  const rule = { after: 0, times: 1 };
  await tick(rule);
  expect([await tick(rule), await tick(rule), await runs()]).toEqual([1, 0, 2]);
  await retryInBoard();
  expect(await runs()).toBe(3);
  expect([await tick(rule), await tick(rule), await runs()]).toEqual([1, 0, 4]);
  await kept({ held: "1" });
  expect(await tick({ after: 0, times: 9 })).toBe(0);
  await retryInBoard();
  expect([await tick({ after: 0, times: 9 }), await runs()]).toEqual([1, 6]);
});

test("a task that completes starts the count anew", async () => {
  const { tick, runs, heal, isKept, state } = await failing();
  const rule = { after: 0, times: 2 };
  await tick(rule);
  await tick(rule);
  heal();
  expect([await tick(rule), await runs()]).toEqual([1, 3]);
  expect([await state(), await isKept()]).toEqual(["completed", 0]);
});
