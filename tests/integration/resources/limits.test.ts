/** What an operator changes while tasks run, and what comes back by itself. */
import { expect, test } from "vitest";
import { cancelTask } from "../../../src/queue/cancel.ts";
import { resourceStatus, setLimit } from "../../../src/queue/resources.ts";
import { gated } from "./gated.ts";

const BY = { who: "ann@host", reason: "maintenance" };

test("a limit is raised, lowered and paused while tasks run, and the audit says by whom", async () => {
  const { line, ask, end, running } = await gated(
    { Load: { resources: { redshift: 1 } } },
    { redshift: 1 },
  );
  await line.work({ concurrency: 20 });
  await ask("Load-1", "Load-2", "Load-3", "Load-4", "Load-5");
  expect([...running]).toEqual(["Load-1"]);

  expect(await setLimit(line, "redshift", 3, BY)).toBe(1);
  await expect.poll(() => [...running].sort()).toEqual(["Load-1", "Load-2", "Load-3"]);

  expect(await setLimit(line, "redshift", 1, BY)).toBe(3);
  await end("Load-1");
  await end("Load-2");
  // One is in use, which is the limit: what ran went on, nothing began.
  expect([...running]).toEqual(["Load-3"]);

  expect(await setLimit(line, "redshift", 0, BY)).toBe(1);
  await end("Load-3");
  expect(await resourceStatus(line)).toMatchObject([
    { limit: 0, configured: 1, inUse: 0, waiting: [{ name: "Load(n=4)" }, { name: "Load(n=5)" }] },
  ]);
  expect(running.size).toBe(0);

  expect(await setLimit(line, "redshift", undefined, BY)).toBe(0);
  await expect.poll(() => [...running]).toEqual(["Load-4"]);
  await end("Load-4");
  await expect.poll(() => [...running]).toEqual(["Load-5"]);
  await end("Load-5");

  const audit = await line.engine.redis.xrange(`${line.engine.keys.own}audit`, "-", "+");
  expect(audit.map(([, [kind, entry = ""]]) => [kind, JSON.parse(entry)])).toEqual(
    [
      [1, 3],
      [3, 1],
      [1, 0],
      [0, 1],
    ].map(([from, to]) => ["limited", { ...BY, resource: "redshift", from, to }]),
  );
  await expect(setLimit(line, "redshit", 1, BY)).rejects.toThrow('Did you mean "redshift"?');
  await expect(setLimit(line, "redshift", 1.5, BY)).rejects.toThrow("expected a whole number");
});

test("one that needs more than a lowered limit lets those behind it begin, and has its turn later", async () => {
  const { line, ask, endRunning, end, running } = await gated(
    { Big: { resources: { redshift: 3 } }, Small: { resources: { redshift: 1 } } },
    { redshift: 4 },
  );
  await line.work({ concurrency: 20 });
  await ask("Small-1", "Small-2", "Big", "Small-3", "Small-4");
  expect([...running]).toEqual(["Small-1", "Small-2"]);
  await setLimit(line, "redshift", 2, BY);
  await end("Small-1");
  await expect.poll(() => [...running]).toEqual(["Small-2", "Small-3"]);
  await setLimit(line, "redshift", 4, BY);
  await end("Small-2");
  await expect.poll(() => [...running]).toEqual(["Small-3", "Big"]);
  await expect.poll(() => running.size).toBe(2);
  await endRunning();
  await expect.poll(() => [...running]).toEqual(["Small-4"]);
  await end("Small-4");
});

test("a task that is cancelled in line keeps no place, and its units go to the next", async () => {
  const { line, ask, endRunning, task, running } = await gated(
    { Big: { resources: { redshift: 2 } }, Small: { resources: { redshift: 1 } } },
    { redshift: 2 },
  );
  await line.work({ concurrency: 20 });
  await ask("Small-1", "Big", "Small-2");
  const signal = AbortSignal.timeout(10_000);
  expect(await cancelTask(line, task("Big"), { by: "ann@host", signal })).toBe("removed");
  await expect.poll(() => [...running]).toEqual(["Small-1", "Small-2"]);
  expect(await resourceStatus(line)).toMatchObject([{ inUse: 2, waiting: [] }]);
  await endRunning();
});

test("a called task whose queue is paused keeps its place, but no units for long", async () => {
  const { line, ask, end, running } = await gated(
    {
      Paused: { resources: { redshift: 1 }, queue: "sql" },
      Load: { resources: { redshift: 1 }, queue: "load" },
    },
    { redshift: 1 },
  );
  await line.work({ concurrency: 20 });
  await ask("Load-1", "Paused", "Load-2");
  const { engine } = line;
  await engine.queue("sql").pause();
  await end("Load-1");
  // Called, and not handed out: as after its patience.
  const [paused] = (await resourceStatus(line))[0]?.waiting ?? [];
  const key = engine.keys.attempt(paused?.id ?? "");
  expect(await engine.redis.hincrby(key, "called", -30_001)).toBeGreaterThan(0);
  await ask("Load-3");
  await expect.poll(() => [...running]).toEqual(["Load-2"]);
  await engine.queue("sql").resume();
  await expect.poll(() => engine.queue("sql").getDelayedCount()).toBe(1);
  await end("Load-2");
  await expect.poll(() => [...running]).toEqual(["Paused"]);
  await end("Paused");
  await expect.poll(() => [...running]).toEqual(["Load-3"]);
  await end("Load-3");
});
