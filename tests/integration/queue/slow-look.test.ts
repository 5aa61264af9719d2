/** A look at outputs that took so long that another attempt took over: what it saw begins nothing. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { defineTask } from "../../../src/core/define.ts";
import type { Target } from "../../../src/core/target.ts";
import { submit } from "../../../src/queue/submit.ts";
import { pipeline } from "../../support/pipeline.ts";

const LEASE = 300;

test("an attempt that lost its lease while it looked at its outputs does not run", async () => {
  let look: () => Promise<void> = async () => {};
  let runs = 0;
  const slow: Target = {
    kind: "slow",
    bind: () => ({
      location: "slow",
      exists: async () => {
        await look();
        return false;
      },
    }),
  };
  const Slow = defineTask({ name: "Slow", output: () => slow }, () => {
    runs += 1;
  });
  const line = await pipeline([Slow], { leaseDuration: LEASE });
  const { redis, keys } = line.engine;
  const attempt = keys.attempt(Slow().id);
  const started: unknown[] = [];
  const reasons: unknown[] = [];
  line.events.on("task:started", (event) => void started.push(event));
  line.events.on("task:released", ({ reason }) => void reasons.push(reason));
  await submit(line, Slow(), { signal: AbortSignal.timeout(50_000) });

  look = async () => {
    await redis.hset(attempt, { holder: "another", expires: Date.now() + 60_000 });
    await sleep(LEASE / 2);
  };
  await line.work();
  await expect.poll(() => reasons).toEqual(["superseded"]);
  expect(started).toEqual([]);
  expect(runs).toBe(0);
});
