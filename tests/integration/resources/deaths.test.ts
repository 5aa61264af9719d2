/** Units whose holder is silent: a dead one's come back by themselves, a frozen Redis takes none away. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { resourceStatus } from "../../../src/queue/resources.ts";
import { submit } from "../../../src/queue/submit.ts";
import { privateRedis } from "../../support/private-redis.ts";
import { startChild } from "../../support/processes.ts";
import { redisUrl } from "../../support/services.ts";
import { gated } from "./gated.ts";

export interface HoldOrders {
  readonly url: string;
  readonly prefix: string;
  readonly leaseDuration: number;
}

const HOLD = new URL("children/hold.ts", import.meta.url);
const LEASE = 600;

test("the units of a killed worker come back without an operator, long before its job does", async () => {
  const { line, ask, endRunning, end, task, running, units } = await gated(
    {
      Hold: { resources: { redshift: 2 }, queue: "copy" },
      Load: { resources: { redshift: 1 }, queue: "load" },
    },
    { redshift: 2 },
    { leaseDuration: LEASE },
  );
  const { engine } = line;
  const orders: HoldOrders = {
    url: await redisUrl(),
    prefix: engine.keys.prefix,
    leaseDuration: LEASE,
  };
  const child = await startChild(HOLD, orders);
  await submit(line, task("Hold"), { signal: AbortSignal.timeout(10_000) });
  await expect.poll(() => units("redshift"), { timeout: 20_000 }).toBe(2);
  await line.work({ queues: ["load"] });
  await ask("Load-1", "Load-2", "Load-3");
  // Longer than a lease: it is renewed.
  await sleep(2 * LEASE);
  expect(running.size).toBe(0);

  child.signal("SIGKILL");
  await child.ended;
  await expect.poll(() => running.size, { timeout: 20_000 }).toBe(2);
  expect(await engine.queue("copy").getJobState(task("Hold").id)).toBe("active");
  expect([...running].sort()).toEqual(["Load-1", "Load-2"]);
  expect(await resourceStatus(line)).toMatchObject([
    { inUse: 2, holders: [{}, {}], waiting: [{ name: "Load(n=3)" }] },
  ]);
  await endRunning();
  await expect.poll(() => [...running]).toEqual(["Load-3"]);
  await end("Load-3");
  expect(line.errors).toEqual([]);
});

test("a Redis that is frozen for several leases gives nobody's units away", async () => {
  const { url, pid } = await privateRedis();
  const { line, ask, endRunning, end, began, running } = await gated(
    { Load: { resources: { redshift: 1 } } },
    { redshift: 2 },
    { leaseDuration: LEASE, url },
  );
  await line.work({ concurrency: 10 });
  await ask("Load-1", "Load-2", "Load-3", "Load-4");
  process.kill(pid, "SIGSTOP");
  await sleep(3 * LEASE);
  process.kill(pid, "SIGCONT");
  await sleep(2 * LEASE);
  expect(began).toEqual(["Load-1", "Load-2"]);
  expect(running.size).toBe(2);
  await end("Load-1");
  await expect.poll(() => began).toEqual(["Load-1", "Load-2", "Load-3"]);
  await endRunning();
  await expect.poll(() => [...running]).toEqual(["Load-4"]);
  await end("Load-4");
});

test("a lease that ran out is doubted first: a renewal that comes late keeps its units", async () => {
  const { line, ask, end, task, began } = await gated(
    { Load: { resources: { redshift: 1 } } },
    { redshift: 1 },
    { leaseDuration: 3_000 },
  );
  await line.work();
  await ask("Load-1");
  const { redis, keys } = line.engine;
  const expires = () => redis.hget(keys.attempt(task("Load-1").id), "expires");
  const late = Date.now() - 1_000;
  await redis.hset(keys.attempt(task("Load-1").id), "expires", late);
  await ask("Load-2");
  // The renewal came, and half a lease passed since the doubt.
  await expect.poll(async () => Number(await expires()), { timeout: 5_000 }).toBeGreaterThan(late);
  await sleep(1_600);
  await ask("Load-3");
  expect(began).toEqual(["Load-1"]);
  for (const name of ["Load-1", "Load-2", "Load-3"]) {
    await expect.poll(() => began.at(-1)).toBe(name);
    await end(name);
  }
  expect(line.errors).toEqual([]);
});
