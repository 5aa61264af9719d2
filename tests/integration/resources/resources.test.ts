/** Named resources: never more in use than the limit, nobody starves, nothing is held while waiting. */
import { expect, test } from "vitest";
import { gated } from "./gated.ts";

test("units are shared by all queues and workers, and a task that waits for one occupies no worker", async () => {
  const { line, ask, endRunning, end, running, began } = await gated(
    {
      Load: { resources: { redshift: 1 }, queue: "load" },
      Report: { resources: { redshift: 1 }, queue: "sql" },
      Free: { queue: "sql" },
    },
    { redshift: 2 },
  );
  await line.work({ concurrency: 2 });
  await line.work({ concurrency: 2 });
  await ask("Load-1", "Report-1", "Load-2", "Report-2", "Load-3", "Report-3", "Report-4");
  expect([...running].sort()).toEqual(["Load-1", "Report-1"]);
  // Four places in the queue, three tasks wait there for units: one without needs begins at once.
  await ask("Free-1", "Free-2", "Free-3");
  expect(running.size).toBe(5);

  await end("Report-1");
  await expect.poll(() => running.has("Load-2")).toBe(true);
  await end("Load-1");
  await expect.poll(() => running.has("Report-2")).toBe(true);
  expect(running.size).toBe(5);
  await end("Free-1");
  for (const [ended, next] of [
    ["Load-2", "Load-3"],
    ["Report-2", "Report-3"],
    ["Load-3", "Report-4"],
  ] as const) {
    await end(ended);
    await expect.poll(() => running.has(next)).toBe(true);
  }
  expect(began.filter((name) => !name.startsWith("Free"))).toEqual([
    "Load-1",
    "Report-1",
    "Load-2",
    "Report-2",
    "Load-3",
    "Report-3",
    "Report-4",
  ]);
  await endRunning();
  // Waiting used no attempt.
  const jobs = await line.engine.queue("sql").getCompleted();
  expect(new Set(jobs.map(({ attemptsMade }) => attemptsMade))).toEqual(new Set([1]));
  expect(line.errors).toEqual([]);
});

test("a task that needs three of four units is not starved by a stream that needs one", async () => {
  const { line, ask, endRunning, end, running, units } = await gated(
    { Small: { resources: { redshift: 1 } }, Big: { resources: { redshift: 3 } } },
    { redshift: 4 },
  );
  await line.work({ concurrency: 20 });
  await ask("Small-1", "Small-2", "Small-3", "Big", "Small-4", "Small-5", "Small-6");
  // One unit is free, and kept for the big one.
  expect([...running]).toEqual(["Small-1", "Small-2", "Small-3"]);
  await end("Small-1");
  expect(running.has("Big")).toBe(false);
  await end("Small-2");
  await expect.poll(() => [...running].sort()).toEqual(["Big", "Small-3"]);
  expect(await units("redshift")).toBe(4);
  await end("Big");
  await expect.poll(() => running.size).toBe(4);
  await endRunning();
  expect(line.errors).toEqual([]);
});

test("a task that waits for one resource holds no units of another, and two such tasks end", async () => {
  const { line, ask, endRunning, end, running } = await gated(
    {
      Load: { resources: { redshift: 1 } },
      Dump: { resources: { source: 1 } },
      Move: { resources: { source: 1, redshift: 1 } },
      Back: { resources: { redshift: 1, source: 1 } },
    },
    { redshift: 1, source: 2 },
  );
  await line.work({ concurrency: 20 });
  await ask("Load", "Move", "Back", "Dump-1");
  // A unit of the source is kept for Move and one for Back, not taken: Dump is behind both.
  expect([...running]).toEqual(["Load"]);
  await end("Load");
  await expect.poll(() => [...running]).toEqual(["Move"]);
  await end("Move");
  await expect.poll(() => [...running].sort()).toEqual(["Back", "Dump-1"]);
  await endRunning();
  expect(line.errors).toEqual([]);
});

test("the line is in the order of priority, then of arrival", async () => {
  const { line, ask, end, began } = await gated(
    {
      Low: { resources: { redshift: 1 }, priority: -5 },
      High: { resources: { redshift: 1 }, priority: 1 },
    },
    { redshift: 1 },
  );
  await line.work({ concurrency: 20 });
  await ask("Low-1", "Low-2", "Low-3", "High-1", "High-2");
  for (const name of ["Low-1", "High-1", "High-2", "Low-2", "Low-3"]) {
    await expect.poll(() => began.at(-1)).toBe(name);
    await end(name);
  }
  expect(line.errors).toEqual([]);
});

test("a failed attempt gives its units back", async () => {
  const { line, ask, end, running } = await gated(
    { Load: { resources: { redshift: 1 } } },
    { redshift: 1 },
  );
  await line.work();
  await ask("Load-1", "Load-2");
  await end("Load-1", new Error("bad row"));
  await expect.poll(() => [...running]).toEqual(["Load-2"]);
  await end("Load-2");
});
