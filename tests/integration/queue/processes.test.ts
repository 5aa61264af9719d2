/** Worker processes that die, freeze and block: what a task may and may not see of it. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import type { SluiceEvents } from "../../../src/core/events.ts";
import { recordMetrics } from "../../../src/hooks/prometheus.ts";
import { submit } from "../../../src/queue/submit.ts";
import { pipeline, statesOf } from "../../support/pipeline.ts";
import { privateRedis } from "../../support/private-redis.ts";
import { startChild } from "../../support/processes.ts";
import { keyPrefix, redisUrl } from "../../support/services.ts";
import { familiesOn, type Orders } from "./children/families.ts";

const WORKER = new URL("children/worker.ts", import.meta.url);
const ledgers: (() => void)[] = [];

afterEach(() => {
  for (const close of ledgers.splice(0)) close();
});

/** An engine, the misbehaving families on it, and worker processes by call. */
async function processes(engineUrl?: string) {
  const ledgerUrl = await redisUrl();
  const ledger = keyPrefix();
  const tasks = familiesOn({ ledgerUrl, ledger });
  ledgers.push(() => tasks.ledger.redis.disconnect());
  const line = await pipeline(tasks.families, { leaseDuration: 1_000 }, undefined, engineUrl);
  const { prefix } = line.engine.keys;
  const place = { engineUrl: engineUrl ?? ledgerUrl, prefix, ledgerUrl, ledger };
  return {
    ...tasks,
    line,
    submit: (root: Parameters<typeof submit>[1]) =>
      submit(line, root, { signal: AbortSignal.timeout(20_000) }),
    /** One more worker, in this process: it does not die. */
    survivor: () => line.work({ lockDuration: 1_000, stalledInterval: 500 }),
    worker: (orders: Partial<Orders> = {}) => startChild(WORKER, { ...place, ...orders }),
  };
}

test("a worker that is killed: another runs its task again, soon, and a crash is counted", async () => {
  const { line, ledger, Held, submit, worker, survivor } = await processes();
  const task = Held({ n: 1 });
  // One at a time: a worker that waits for more jobs would swallow the wake-up of the other.
  const first = await worker({ concurrency: 1 });
  await submit(task);
  await expect.poll(() => ledger.count("held-1"), { timeout: 5_000 }).toBe(1);
  const attempt = await line.engine.redis.hget(line.engine.keys.attempt(task.id), "holder");
  const lost: SluiceEvents["task:lost"][] = [];
  line.events.on("task:lost", (event) => void lost.push(event));
  const metrics = recordMetrics(line.events);
  await survivor();
  first.signal("SIGKILL");
  const killed = performance.now();
  await expect.poll(() => ledger.count("held-1"), { timeout: 10_000 }).toBe(2);
  // Lock (1 s) and two looks for stalled jobs (0.5 s), with room for a busy machine.
  expect(performance.now() - killed).toBeLessThan(6_000);
  expect(await line.engine.redis.hget(line.engine.keys.attempt(task.id), "crashes")).toBe("1");
  await ledger.set("go");
  expect(statesOf(await line.run(task))).toEqual({ "Held(n=1)": "complete" });
  // Nobody else can say it: told once, by the attempt that found it.
  expect(lost).toMatchObject([
    {
      task: { name: "Held(n=1)" },
      attempt: { id: attempt, number: 1 },
      error: { code: "ATTEMPT_LOST", fingerprint: "Held:ATTEMPT_LOST" },
    },
  ]);
  expect(lost[0]?.error.message).toContain("Held(n=1): the worker of this attempt died or froze");
  expect(lost[0]?.error.message).toContain("crash 1 of 3");
  expect(lost[0]?.seconds).toBeGreaterThan(0.5);
  expect(lost[0]?.seconds).toBeLessThan(15);
  expect(await metrics.metrics()).toContain(
    'sluice_task_attempts_ended_total{family="Held",queue="default",outcome="lost"} 1',
  );
});

test("a task that kills its workers fails after three crashes; a retry may succeed", async () => {
  const { line, ledger, Crashing, AfterCrash, submit, worker, survivor } = await processes();
  await ledger.redis.set(ledger.key("crashes"), "3");
  const orders = { lockDuration: 400, leaseDuration: 400 };
  await submit(AfterCrash());
  for (const crash of [1, 2, 3]) {
    const { by } = await (await worker(orders)).ended;
    expect([by, await ledger.count("crashing")]).toEqual(["SIGKILL", crash]);
  }
  const heard: string[] = [];
  line.events.on("task:lost", ({ error }) => void heard.push(error.fingerprint));
  line.events.on("task:failed", ({ error }) => void heard.push(error.fingerprint));
  await survivor();
  const job = await line.engine.queue("default").getJob(Crashing().id);
  await expect.poll(() => job?.getState(), { timeout: 10_000 }).toBe("failed");
  const failed = await line.engine.queue("default").getJob(Crashing().id);
  expect(failed?.failedReason).toContain("Crashing(): crashed 3 times: each time the worker died");
  // The first two were found by workers that died, too.
  expect(heard).toEqual(["Crashing:ATTEMPT_LOST", "Crashing:TASK_CRASHED"]);
  expect(statesOf(await line.run(AfterCrash()))).toEqual({
    "Crashing()": "complete",
    "AfterCrash()": "complete",
  });
  expect(await ledger.count("crashing")).toBe(4);
});

test("death between the commit and its record: the next delivery does not run again", async () => {
  const { line, ledger, Committing, submit, worker, survivor } = await processes();
  await submit(Committing());
  expect((await (await worker()).ended).by).toBe("SIGKILL");
  expect(await line.engine.redis.exists(line.engine.keys.done(Committing().id))).toBe(0);
  await survivor();
  expect(statesOf(await line.run(Committing()))).toEqual({ "Committing()": "complete" });
  expect(await ledger.count("committing")).toBe(1);
});

test("death between the commit and its record, job removed by an operator: the next submit adopts", async () => {
  const { line, Committing, submit, worker } = await processes();
  await submit(Committing());
  await (await worker()).ended;
  const job = await line.engine.queue("default").getJob(Committing().id);
  await expect
    .poll(
      () =>
        job?.remove().then(
          () => true,
          () => false,
        ),
      { timeout: 5_000 },
    )
    .toBe(true);
  await expect
    .poll(
      async () => {
        await submit(Committing());
        return line.engine.redis.exists(line.engine.keys.done(Committing().id));
      },
      { timeout: 5_000 },
    )
    .toBe(1);
});

test("a Redis that freezes for several locks hands jobs out again, but runs none twice", async () => {
  const redis = await privateRedis();
  const { line, ledger, Held, submit, worker, survivor } = await processes(redis.url);
  await Promise.all([worker({ concurrency: 8 }), survivor()]);
  const tasks = Array.from({ length: 8 }, (_, n) => Held({ n }));
  for (const task of tasks) await submit(task);
  const runs = () => Promise.all(tasks.map((_, n) => ledger.count(`held-${n}`)));
  await expect.poll(runs, { timeout: 10_000 }).toEqual(tasks.map(() => 1));
  process.kill(redis.pid, "SIGSTOP");
  await sleep(4_000);
  process.kill(redis.pid, "SIGCONT");
  // Long enough for locks to be found expired and jobs to be handed out again.
  await sleep(3_000);
  await ledger.set("go");
  for (const task of tasks) await line.run(task);
  expect(await runs()).toEqual(tasks.map(() => 1));
  expect((await ledger.notes()).length).toBe(8);
});

test("an event loop that is blocked for several locks commits nothing that another attempt committed", async () => {
  const { line, ledger, Blocking, submit, worker, survivor } = await processes();
  const root = Blocking({ ms: 4_000 });
  const first = await worker({ concurrency: 1 });
  await submit(root);
  await expect.poll(() => ledger.count("blocking"), { timeout: 5_000 }).toBe(1);
  await survivor();
  expect(statesOf(await line.run(root))).toEqual({ [root.name]: "complete" });
  // The first wakes up, and must find that it lost its lease.
  await sleep(3_000);
  expect(await ledger.notes()).toEqual(["committed by the second"]);
  expect(await ledger.count("blocking")).toBe(2);
  first.signal("SIGKILL");
});

test("a worker that was stopped and goes on after another took over commits nothing", async () => {
  const { line, ledger, Held, submit, worker, survivor } = await processes();
  const first = await worker({ concurrency: 1 });
  await submit(Held({ n: 1 }));
  await expect.poll(() => ledger.count("held-1"), { timeout: 5_000 }).toBe(1);
  first.signal("SIGSTOP");
  await survivor();
  await expect.poll(() => ledger.count("held-1"), { timeout: 10_000 }).toBe(2);
  first.signal("SIGCONT");
  await sleep(500);
  await ledger.set("go");
  expect(statesOf(await line.run(Held({ n: 1 })))).toEqual({ "Held(n=1)": "complete" });
  await sleep(500);
  expect(await ledger.notes()).toEqual([`committed 1 ${process.pid}`]);
});
