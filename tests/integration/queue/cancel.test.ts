/** Tasks that somebody cancels, at work and waiting. */
import { Client } from "pg";
import { expect, test } from "vitest";
import { defineTask, defineWrapper } from "../../../src/core/define.ts";
import type { Task } from "../../../src/core/task.ts";
import { cancelTask } from "../../../src/queue/cancel.ts";
import { submit } from "../../../src/queue/submit.ts";
import { openStores } from "../../../src/stores/open-stores.ts";
import { flags, pipeline, statesOf, type Pipeline } from "../../support/pipeline.ts";
import { freshDatabase } from "../../support/services.ts";

const soon = () => ({ signal: AbortSignal.timeout(20_000) });
const cancel = (line: Pipeline, task: Task) =>
  cancelTask(line, task, { by: "ann@desk", ...soon() });
const jobOf = (line: Pipeline, task: Task) => line.engine.queue(task.family.queue).getJob(task.id);
const reason = (name: string) =>
  `${name}: cancelled by ann@desk. It stays so until somebody runs or retries it`;

test("cancelling a task at work ends its statement on the server; no tick starts it again", async () => {
  const url = await freshDatabase();
  const stores = openStores({ warehouseUrl: url });
  const client = new Client({ connectionString: url });
  await client.connect();
  const statements = async () => {
    const { rowCount } = await client.query(
      "SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND state = 'active' AND pid <> pg_backend_pid()",
    );
    return rowCount;
  };
  let asleep = "60";
  const Long = defineTask(
    { name: "Long", retry: { attempts: 3 } },
    async ({ warehouse, signal }) => {
      await warehouse.query("SELECT pg_sleep($1)", [asleep], { signal });
    },
  );
  const line = await pipeline([Long], {}, stores);
  const failures: unknown[] = [];
  line.events.on("task:failed", ({ error }) => void failures.push(error.fingerprint));
  line.events.on("task:retrying", ({ error }) => void failures.push(error));
  await Promise.all([line.work(), line.work()]);
  try {
    await submit(line, Long(), soon());
    await expect.poll(statements, { timeout: 10_000 }).toBe(1);
    expect(await cancel(line, Long())).toBe("ended");
    expect(await statements()).toBe(0);
    const job = await jobOf(line, Long());
    expect([await job?.getState(), job?.failedReason]).toEqual(["failed", reason("Long()")]);
    expect(failures).toEqual(["Long:TASK_CANCELLED"]);

    const tick = { ...soon(), retryFailed: { after: 0, times: 10 } };
    expect((await submit(line, Long(), tick)).retried).toEqual([]);
    expect(await cancel(line, Long())).toBe("failed");
    asleep = "0";
    expect(statesOf(await line.run(Long()))).toEqual({ "Long()": "complete" });
    expect(await cancel(line, Long())).toBe("complete");
  } finally {
    await client.end();
    await stores.close();
  }
  expect(line.errors).toEqual([]);
});

test("a task that waits is taken out of the queue, blocked, delayed or next; a retry puts it back", async () => {
  let failing = true;
  const Leaf = defineTask({ name: "Leaf", queue: "copy", retry: { backoff: "1h" } }, () => {
    if (failing) throw new Error("not yet");
  });
  const Prior = defineTask({ name: "Prior", queue: "sql", priority: 3 }, () => {});
  const Root = defineWrapper({ name: "Root", requires: () => [Leaf(), Prior()] });
  const line = await pipeline([Leaf, Prior, Root]);
  expect(await cancel(line, Leaf())).toBe("absent");
  await submit(line, Root(), soon());
  for (const task of [Root(), Prior()]) {
    expect(await cancel(line, task)).toBe("removed");
    const job = await jobOf(line, task);
    expect([await job?.getState(), job?.failedReason]).toEqual(["failed", reason(task.name)]);
  }
  await line.work();
  await expect.poll(async () => (await jobOf(line, Leaf()))?.getState()).toBe("delayed");
  expect(await cancel(line, Leaf())).toBe("removed");
  expect(await (await jobOf(line, Leaf()))?.getState()).toBe("failed");

  // As Bull Board does it: what is still blocked goes back to waiting by itself.
  failing = false;
  for (const task of [Root(), Prior(), Leaf()]) await (await jobOf(line, task))?.retry("failed");
  await expect
    .poll(() => line.engine.redis.exists(line.engine.keys.done(Root().id)), { timeout: 5_000 })
    .toBe(1);
});

test("a cancel that no worker heard is found at the gate of the next attempt", async () => {
  const { count, counted } = await flags();
  let fail: ((error: Error) => void) | undefined;
  const Held = defineTask({ name: "Held", retry: { attempts: 3, backoff: "1ms" } }, async () => {
    await count("held");
    await new Promise((_, reject) => {
      fail = reject;
    });
  });
  const line = await pipeline([Held]);
  await line.work();
  await submit(line, Held(), soon());
  await expect.poll(() => fail).toBeDefined();
  // The mark alone, without the message.
  await line.engine.redis.hset(line.engine.keys.attempt(Held().id), {
    cancel: "ann@desk",
    held: 1,
  });
  fail?.(new Error("something else"));
  await expect.poll(async () => (await jobOf(line, Held()))?.failedReason).toBe(reason("Held()"));
  expect(await counted("held")).toBe(1);
});

test("those whose run asked for a task that is cancelled are told", async () => {
  const Leaf = defineTask({ name: "Leaf", queue: "copy" }, () => {});
  const caught: string[] = [];
  const Root = defineTask({ name: "Root" }, function* () {
    try {
      yield* Leaf();
    } catch (error) {
      caught.push(String(error));
    }
  });
  const line = await pipeline([Leaf, Root]);
  await line.work({ queues: ["default"] });
  await submit(line, Root(), soon());
  await expect.poll(async () => (await jobOf(line, Root()))?.getState()).toBe("waiting-children");
  expect(await cancel(line, Leaf())).toBe("removed");
  await expect
    .poll(() => caught)
    .toEqual([
      `DependencyFailedError: Root(): Leaf(), which its run asked for, failed: ${reason("Leaf()")}`,
    ]);
});
