/** Following a root: when it ends. */
import { expect, test } from "vitest";
import { defineTask } from "../../../src/core/define.ts";
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
