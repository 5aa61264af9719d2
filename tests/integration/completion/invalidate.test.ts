/** Invalidation: outputs and records go together, whatever dies, and the next run repairs the rest. */
import { afterEach, expect, test } from "vitest";
import type { Task } from "../../../src/core/task.ts";
import { adoption, completion } from "../../../src/queue/completion.ts";
import { invalidate } from "../../../src/queue/invalidate.ts";
import { Lease } from "../../../src/queue/lease.ts";
import { rootOf, selectForInvalidation } from "../../../src/queue/select-for-invalidation.ts";
import { submit } from "../../../src/queue/submit.ts";
import { redisUrl } from "../../support/services.ts";
import { startChild } from "../../support/processes.ts";
import { attempt, runTask } from "../data/data-stores.ts";
import { Check, Dump, Load, Night, source } from "./night.ts";
import { ALL_RAN, date, type Stage, stage } from "./stage.ts";

const soon = () => ({ signal: AbortSignal.timeout(20_000) });
const by = () => ({ ...soon(), who: "ann@host", reason: "the fix landed upstream" });
const load = (table: "first" | "second") => Load({ table, date });
const everything: Task[] = [
  Dump({ date }),
  load("first"),
  load("second"),
  Check({ date }),
  Night({ date }),
];

afterEach(() => {
  source.value = 1;
});

async function complete(): Promise<Stage> {
  const line = await stage();
  await line.work();
  await line.run(Night({ date }));
  expect(line.ran()).toEqual(ALL_RAN);
  return line;
}

async function recorded(line: Stage): Promise<string[]> {
  const found: string[] = [];
  for (const { id, family } of everything) {
    if ((await line.engine.redis.exists(line.engine.keys.done(id))) === 1) found.push(family.name);
  }
  return found;
}

async function audit(line: Stage): Promise<unknown[]> {
  const entries = await line.engine.redis.xrange(`${line.engine.keys.own}audit`, "-", "+");
  return entries.map(([, [, text = ""]]) => JSON.parse(text));
}

test("downstream within a root: outputs and records are gone, and the next run makes all of it anew", async () => {
  const line = await complete();
  const selected = await selectForInvalidation(line, Dump({ date }), {
    ...soon(),
    downstreamIn: Night({ date }),
  });
  expect(selected.map(({ task, outputs }) => [task.family.name, outputs.length])).toEqual([
    ["Dump", 1],
    ["Load", 1],
    ["Load", 1],
    ["Check", 0],
    ["Night", 0],
  ]);
  await invalidate(
    line,
    selected.map(({ task }) => task),
    by(),
  );
  expect(await recorded(line)).toEqual([]);
  expect(await line.manifests()).toEqual([]);
  expect(await line.sql("SELECT * FROM table_updates")).toEqual([]);
  // The rows of a marker stay until the next load replaces them.
  expect(await line.values()).toEqual([1, 1, 1, 1, 1, 1]);
  expect(await audit(line)).toEqual([
    {
      who: "ann@host",
      reason: "the fix landed upstream",
      tasks: selected.map(({ task }) => task.id),
    },
  ]);
  source.value = 2;
  await line.run(Night({ date }));
  expect(line.ran()).toEqual(ALL_RAN);
  expect(await line.values()).toEqual([2, 2, 2, 2, 2, 2]);
});

test("a task alone: its dependents stay as they are until they are asked for", async () => {
  const line = await complete();
  await invalidate(line, [Dump({ date })], by());
  await line.run(Night({ date }));
  expect(line.ran()).toEqual([]);
  await line.run(Dump({ date }));
  expect(line.ran()).toEqual(["Dump()"]);
});

test("upstream: what it requires, and not what needs it", async () => {
  const line = await complete();
  const selected = await selectForInvalidation(line, load("first"), { ...soon(), upstream: true });
  expect(selected.map(({ task }) => task)).toMatchObject(
    [Dump({ date }), load("first")].map(({ id }) => ({ id })),
  );
});

test("the root of a task is the one that it was enqueued for", async () => {
  const line = await complete();
  expect((await rootOf(line, Dump({ date })))?.id).toBe(Night({ date }).id);
  expect(await rootOf(line, Night({ date }))).toBeUndefined();
});

test("INV1, INV4: killed at any step, an invalidation is wholly done or not at all after the next run", async () => {
  const line = await complete();
  const orders = {
    redisUrl: await redisUrl(),
    prefix: line.engine.keys.prefix,
    stores: line.storeSettings,
  };
  const script = new URL("children/invalidator.ts", import.meta.url);
  let value = 1;
  let ended = "SIGKILL";
  for (let crashAt = 1; ended === "SIGKILL"; crashAt += crashAt === 1 ? 1 : 3) {
    value += 1;
    source.value = value;
    ended = await startChild(script, { ...orders, crashAt }).then(
      async (child) => (await child.ended).by,
      (error: unknown) => (String(error).includes("SIGKILL") ? "SIGKILL" : String(error)),
    );
    const left = await recorded(line);
    // All or none; never a record of an output that is gone.
    const fresh = !left.includes("Night");
    expect(left).toEqual(fresh ? ["Load"] : ["Dump", "Load", "Load", "Check", "Night"]);
    const watched = await line.run(Night({ date }));
    expect([...watched.values()].every(({ state }) => state === "complete")).toBe(true);
    expect(line.ran(), `killed before call ${crashAt}`).toEqual(
      fresh ? ["Check()", "Dump()", "Load(table=first)"] : [],
    );
    await line.verify(Night({ date }));
    expect(line.ran()).toEqual([]);
    const rows = await line.sql("SELECT value FROM first");
    expect(rows.map((row) => row["value"])).toEqual(Array(3).fill(fresh ? value : 1));
    expect(await line.manifests()).toHaveLength(1);
  }
  expect(ended).toBe("0");
}, 120_000);

test("INV2: an attempt of the former generation can neither commit nor record", async () => {
  const line = await stage();
  await submit(line, Dump({ date }), soon());
  const task = Dump({ date });
  const { engine } = line;
  // A worker that took the lease and froze until it ran out.
  await engine.redis.hset(engine.keys.attempt(task.id), { holder: "zombie", expires: 1 });
  await invalidate(line, [task], by());
  const zombie = new Lease(engine, task, { id: "zombie", number: 1 }, { leaseDuration: 1_000 });
  await expect(runTask(task, line.stores, { attempt: zombie })).rejects.toMatchObject({
    code: "LEASE_LOST",
  });
  expect(await line.manifests()).toEqual([]);
  const ending = { attempt: "zombie", at: 0, needs: "", job: [] };
  expect(await engine.scripts.send(completion(engine, task, null, ending))).toEqual([-1]);
  expect(await engine.redis.hget(`${engine.keys.own}generations`, task.id)).toBe("1");
  await line.work();
  await line.run(task);
  expect(line.ran()).toEqual(["Dump()"]);
});

test("an output that was found before an invalidation is not adopted after it", async () => {
  const line = await complete();
  const task = Dump({ date });
  const { engine } = line;
  await engine.redis.del(engine.keys.done(task.id));
  await invalidate(line, [task], by());
  const adopt = (generation: number) => engine.scripts.send(adoption(engine, task, generation));
  expect(await adopt(0)).toEqual([-1]);
  expect(await recorded(line)).not.toContain("Dump");
});

test("what runs is refused, and nothing of the invalidation happens", async () => {
  const line = await complete();
  const { engine } = line;
  const running = attempt();
  await engine.redis.hset(engine.keys.attempt(load("second").id), {
    holder: running.id,
    expires: Date.now() + 60_000,
  });
  await expect(invalidate(line, everything, by())).rejects.toMatchObject({
    code: "TASK_RUNNING",
    message: expect.stringContaining("Load(table=second, date=2026-11-21) is running"),
  });
  expect(await recorded(line)).toHaveLength(everything.length);
  expect(await line.manifests()).toHaveLength(1);
  expect(await audit(line)).toEqual([]);
});

test("a task that is recorded, and whose job BullMQ has yet to complete, is waited for", async () => {
  const line = await complete();
  const { keys, redis } = line.engine;
  const lock = `${keys.job(load("second").family.queue, load("second").id)}:lock`;
  await redis.set(lock, "worker that died just then", "PX", 60_000);
  await expect(invalidate(line, everything, by())).rejects.toMatchObject({ code: "TASK_RUNNING" });
  expect(await recorded(line)).toHaveLength(everything.length);
  await redis.pexpire(lock, 300);
  await invalidate(line, everything, by());
  expect(await recorded(line)).toEqual([]);
});

test("two invalidations at once, and a run beside them: one new generation is complete in the end", async () => {
  const line = await complete();
  source.value = 5;
  const results = await Promise.allSettled([
    invalidate(line, everything, by()),
    invalidate(line, everything, by()),
    line.run(Night({ date })),
  ]);
  const errors: unknown[] = results.flatMap((each) =>
    each.status === "rejected" ? [each.reason] : [],
  );
  expect(errors.filter((error) => !String(error).includes("Nothing was changed"))).toEqual([]);
  await line.run(Night({ date }));
  expect(new Set(await line.values())).toEqual(new Set([5]));
  expect(await line.manifests()).toHaveLength(1);
  line.ran();
  await line.verify(Night({ date }));
  expect(line.ran()).toEqual([]);
});
