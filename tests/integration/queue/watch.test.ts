/** Following a root: when it ends. */
import { expect, test } from "vitest";
import { defineTask } from "../../../src/core/define.ts";
import { PermanentError } from "../../../src/core/errors.ts";
import { submit } from "../../../src/queue/submit.ts";
import { type Watched, watch } from "../../../src/queue/watch.ts";
import { pipeline, statesOf } from "../../support/pipeline.ts";

test("a blocked root whose job was removed: followed until all below it is complete, and no longer", async () => {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const Leaf = defineTask({ name: "Leaf", queue: "copy" }, () => gate);
  const Root = defineTask({ name: "Root", requires: () => [Leaf()] }, () => {});
  const line = await pipeline([Leaf, Root]);
  await line.work();
  const signal = AbortSignal.timeout(20_000);
  const plan = await submit(line, Root(), { signal });
  // Of the job alone: as BullMQ's eviction, or redis-cli, does it.
  const { redis, keys } = line.engine;
  let last: Watched = new Map();
  let looks = 0;
  for await (const watched of watch(line, plan, { signal, interval: 50 })) {
    last = watched;
    looks += 1;
    if (looks === 1) {
      await redis.zrem(`${keys.queue("default")}:waiting-children`, Root().id);
      await redis.del(keys.job("default", Root().id));
    }
    if (looks === 3) open();
  }
  expect(statesOf(last)).toEqual({ "Root()": "absent", "Leaf()": "complete" });
  expect(signal.aborted).toBe(false);
});

test("what looks settled is looked at once more: a failure may have released the root meanwhile", async () => {
  let broken = true;
  const Leaf = defineTask({ name: "Leaf", queue: "copy", retry: { attempts: 1 } }, () => {
    if (broken) throw new PermanentError("BAD_DATA", "line 1");
  });
  const Root = defineTask({ name: "Root", requires: () => [Leaf()] }, () => {});
  const line = await pipeline([Leaf, Root]);
  await line.work();
  const signal = AbortSignal.timeout(20_000);
  const plan = await submit(line, Root(), { signal });
  const job = await line.engine.queue("copy").getJob(Leaf().id);
  let last: Watched = new Map();
  for await (const watched of watch(line, plan, { signal, interval: 50 })) {
    last = watched;
    // As if this look had seen the leaf too late, and the root too early.
    if (broken && statesOf(watched)["Leaf()"] === "failed") {
      broken = false;
      await job?.retry("failed");
    }
  }
  expect(statesOf(last)).toEqual({ "Root()": "complete", "Leaf()": "complete" });
});
