/** Attempts that take longer than their family allows, and runs that do not heed their signal. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { defineTask } from "../../../src/core/define.ts";
import { p } from "../../../src/core/params/p.ts";
import { Interrupt } from "../../../src/queue/interrupt.ts";
import { flags, pipeline, statesOf } from "../../support/pipeline.ts";

test("an attempt that takes too long is told by its signal, fails as TASK_TIMEOUT and is retried", async () => {
  let tries = 0;
  const Slow = defineTask(
    { name: "Slow", timeout: "100ms", retry: { attempts: 3, backoff: "1ms" } },
    async ({ signal }) => {
      tries += 1;
      // An error of its own making, as of a driver whose statement was cancelled.
      if (tries < 3) {
        await sleep(20_000, undefined, { signal });
      }
    },
  );
  const line = await pipeline([Slow]);
  const heard: unknown[] = [];
  line.events.on("task:retrying", ({ error }) => void heard.push(error));
  await line.work();
  expect(statesOf(await line.run(Slow()))).toEqual({ "Slow()": "complete" });
  expect(tries).toBe(3);
  const timedOut = {
    code: "TASK_TIMEOUT",
    message:
      "Slow(): ran longer than 100ms; its statement was cancelled. Raise timeout in the declaration of Slow, or let it do less at a time",
    fingerprint: "Slow:TASK_TIMEOUT",
  };
  expect(heard).toEqual([timedOut, timedOut]);
});

test("a run that does not heed its signal is given up: it holds up nobody and commits nothing", async () => {
  const { flag } = await flags();
  const late: string[] = [];
  const Deaf = defineTask(
    {
      name: "Deaf",
      timeout: "50ms",
      retry: { attempts: 1 },
      output: () => flag("deaf"),
    },
    async ({ attempt, output }) => {
      await sleep(1_500);
      await attempt.confirmLease().catch((error: unknown) => {
        late.push(String(error));
        throw error;
      });
      await output.raise();
    },
  );
  const Next = defineTask({ name: "Next", params: { n: p.int() } }, () => {});
  const line = await pipeline([Deaf, Next], { abortGrace: 100 });
  const events: string[] = [];
  line.events.on(
    "task:failed",
    ({ task, error }) => void events.push(`${task.name} ${error.code}`),
  );
  line.events.on("task:succeeded", ({ task }) => void events.push(task.name));
  await line.work({ concurrency: 1 });
  expect(statesOf(await line.run(Deaf()))).toEqual({ "Deaf()": "failed" });
  expect(statesOf(await line.run(Next({ n: 1 })))).toEqual({ "Next(n=1)": "complete" });
  expect(late).toEqual([]);
  await expect.poll(() => late, { timeout: 5_000 }).toHaveLength(1);
  expect(late[0]).toContain("LeaseLostError: Deaf(): this attempt lost its lease");
  await sleep(50);
  expect(events).toEqual(["Deaf() TASK_TIMEOUT", "Next(n=1)"]);
  expect(await line.engine.redis.exists(line.engine.keys.done(Deaf().id))).toBe(0);
  expect(line.errors).toEqual([]);
});

test("a run that ends within its grace has failed all the same; what it wrote is found by the next", async () => {
  const { flag, count, counted } = await flags();
  const Overdue = defineTask(
    {
      name: "Overdue",
      timeout: "50ms",
      retry: { attempts: 2, backoff: "1ms" },
      output: () => flag("overdue"),
    },
    async ({ output }) => {
      await count("overdue");
      await sleep(150);
      await output.raise();
    },
  );
  const line = await pipeline([Overdue]);
  await line.work();
  expect(statesOf(await line.run(Overdue()))).toEqual({ "Overdue()": "complete" });
  expect(await counted("overdue")).toBe(1);
});

test("an abort after the attempt has ended starts no timer: a stopped worker exits at once", async () => {
  const Quick = defineTask({ name: "Quick" }, () => {});
  const interrupt = new Interrupt();
  const timers = () => process.getActiveResourcesInfo().filter((each) => each === "Timeout").length;
  const before = timers();
  expect(await interrupt.bound(Quick(), 60_000, async () => "done")).toBe("done");
  interrupt.abort(new Error("stopping"));
  expect(timers()).toBe(before);
});
