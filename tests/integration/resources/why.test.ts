/** What an operator is told of a task that waits for units, or that the scheduler leaves alone. */
import { expect, test } from "vitest";
import { defineTask } from "../../../src/core/define.ts";
import { PermanentError } from "../../../src/core/errors.ts";
import { p } from "../../../src/core/params/p.ts";
import { daily } from "../../../src/core/schedule.ts";
import { cancelTask } from "../../../src/queue/cancel.ts";
import { failedTasks } from "../../../src/queue/failed-tasks.ts";
import { setLimit } from "../../../src/queue/resources.ts";
import { submit } from "../../../src/queue/submit.ts";
import { why } from "../../../src/queue/why.ts";
import { pipeline } from "../../support/pipeline.ts";
import { gated } from "./gated.ts";

test("a task in line names the resource, what is in use, by whom, and its place", async () => {
  const { line, ask, end, task, running, endRunning } = await gated(
    { Load: { resources: { redshift: 1, source: 1 } }, Big: { resources: { redshift: 2 } } },
    { redshift: 2, source: 9 },
  );
  const signal = AbortSignal.timeout(20_000);
  const reasons = async (name: string) => (await why(line, task(name), signal)).reasons;
  await line.work();
  await ask("Load-1", "Big", "Load-2");
  expect(await reasons("Big")).toEqual([
    {
      kind: "resource",
      name: "redshift",
      units: 2,
      limit: 2,
      inUse: 1,
      holders: ["Load(n=1)"],
      behind: 0,
    },
  ]);
  expect(await reasons("Load-2")).toMatchObject([
    { kind: "resource", name: "redshift", inUse: 1, behind: 1 },
    { kind: "resource", name: "source", inUse: 1, limit: 9, behind: 0 },
  ]);
  const ann = { who: "ann@host", reason: "" };
  await setLimit(line, "redshift", 1, ann);
  expect(await reasons("Big")).toMatchObject([{ kind: "resource", units: 2, limit: 1 }]);
  await end("Load-1");
  await expect.poll(() => [...running]).toEqual(["Load-2"]);
  expect(await reasons("Load-2")).toMatchObject([{ kind: "running" }]);
  await setLimit(line, "redshift", 2, ann);
  await endRunning();
  await expect.poll(() => [...running]).toEqual(["Big"]);
  await endRunning();
});

test("a failed task says whether ticks of the scheduler still retry it, gave up, or must not", async () => {
  const Copy = defineTask({ name: "Copy", params: { date: p.date() } }, () => {
    throw new PermanentError("BAD_DATA", "line 42");
  });
  const schedules = [daily(Copy, { at: "02:30", retryFailedTimes: 2 })];
  const line = await pipeline([Copy], {}, undefined, undefined, { schedules });
  await line.work();
  const signal = AbortSignal.timeout(20_000);
  const task = Copy.parse({ date: "2026-11-21" });
  const tick = async () => {
    await submit(line, task, { signal, retryFailed: { after: 0, times: 2 } });
    await expect.poll(() => line.engine.queue("default").getJobState(task.id)).toBe("failed");
  };
  const told = async () => {
    const [failed] = await failedTasks(line);
    expect((await why(line, task, signal)).reasons).toMatchObject([
      { kind: "failed" },
      { kind: "ticks", ticks: failed?.ticks },
    ]);
    return failed?.ticks;
  };
  await tick();
  expect(await told()).toEqual({ kind: "retrying", retried: 0, times: 2 });
  await tick();
  await tick();
  expect(await told()).toEqual({ kind: "gave-up", retried: 2 });
  await cancelTask(line, task, { by: "ann@host", signal });
  expect(await told()).toEqual({ kind: "held" });
});
