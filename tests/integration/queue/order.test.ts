/** In which order jobs run, and where their keys live. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { defineTask, defineWrapper } from "../../../src/core/define.ts";
import { p } from "../../../src/core/params/p.ts";
import type { Task } from "../../../src/core/task.ts";
import { onFreePort } from "../../../src/embedded/free-port.ts";
import type { RedisProgram } from "../../../src/embedded/redis/find-redis.ts";
import { submit } from "../../../src/queue/submit.ts";
import { pipeline, statesOf } from "../../support/pipeline.ts";
import { privateRedis } from "../../support/private-redis.ts";
import { tempDir } from "../../support/services.ts";

const soon = () => ({ signal: AbortSignal.timeout(10_000) });

test("released tasks run by priority; a retry waits for its backoff while others run", async () => {
  const order: string[] = [];
  const Source = defineTask({ name: "Source", queue: "copy" }, () => {});
  const after = (name: string, priority: number) =>
    defineTask({ name, priority, requires: () => Source() }, () => void order.push(name));
  const families = [after("Third", -9), after("First", 2), after("Second", 0)];
  let tries = 0;
  const Flaky = defineTask(
    { name: "Flaky", priority: 2, requires: () => Source(), retry: { backoff: "300ms" } },
    () => {
      tries += 1;
      order.push(`Flaky ${tries}`);
      if (tries === 1) throw new Error("once");
    },
  );
  const Root = defineWrapper({
    name: "Root",
    priority: 5,
    requires: () => [Flaky(), ...families.map((family) => family())],
  });
  const line = await pipeline([Source, ...families, Flaky, Root]);
  await submit(line, Root(), soon());
  const copy = await line.work({ queues: ["copy"] });
  await expect.poll(() => line.engine.queue("default").getWaitingChildrenCount()).toBe(1);
  await copy.stop(0);
  await line.work({ queues: ["default"], concurrency: 1 });
  expect(statesOf(await line.run(Root()))["Root()"]).toBe("complete");
  expect(order).toEqual(["Flaky 1", "First", "Second", "Third", "Flaky 2"]);
});

test("one worker drains in the order of priority, then of requires, also what is released meanwhile", async () => {
  const order: string[] = [];
  const family = (
    name: string,
    declaration: { readonly priority?: number; readonly requires?: () => Task[] } = {},
  ) => defineTask({ name, ...declaration }, () => void order.push(name));
  const Zebra = family("Zebra");
  const Ape = family("Ape");
  const Late = family("Late", { priority: -1 });
  const Urgent = family("Urgent", { priority: 1000 });
  // All are released by Zebra, the urgent one and the others in the order in which they are required.
  const waiting = ["Y", "B", "X", "A", "Q"].map((name) =>
    family(name, { requires: () => [Zebra()] }),
  );
  const Alarm = family("Alarm", { priority: 10, requires: () => [Zebra()] });
  const Root = family("Root", {
    requires: () => [Late(), Zebra(), ...waiting.map((each) => each()), Ape(), Alarm(), Urgent()],
  });
  const line = await pipeline([Zebra, Ape, Late, Urgent, ...waiting, Alarm, Root]);
  await submit(line, Root(), soon());
  await line.work({ concurrency: 1 });
  await line.run(Root());
  expect(order).toEqual([
    "Urgent",
    "Zebra",
    "Alarm",
    "Ape",
    "Y",
    "B",
    "X",
    "A",
    "Q",
    "Late",
    "Root",
  ]);
});

test("a job that a stopping worker hands back wakes an idle one at once", async () => {
  const order: string[] = [];
  const began: (() => void)[] = [];
  const Long = defineTask({ name: "Long", params: { n: p.int() } }, async ({ params, signal }) => {
    order.push(`Long ${params.n}`);
    began.shift()?.();
    if (order.length > 1) return;
    await new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  });
  const line = await pipeline([Long]);
  const first = await line.work({ concurrency: 1 });
  const started = new Promise<void>((resolve) => began.push(resolve));
  await submit(line, Long({ n: 1 }), soon());
  await started;
  await line.work({ concurrency: 1 });
  const again = new Promise<void>((resolve) => began.push(resolve));
  await first.stop(0);
  // An idle worker looks by itself only every five seconds.
  await Promise.race([again, sleep(3_000).then(() => Promise.reject(new Error("nobody woke")))]);
  expect(order).toEqual(["Long 1", "Long 1"]);
});

test("a diamond with yields drains on a Redis Cluster node, which refuses keys of two slots", async () => {
  const { program } = await privateRedis();
  const url = await clusterNode(program);
  const Leaf = defineTask({ name: "Leaf", queue: "copy", params: { n: p.text() } }, () => 1);
  const Left = defineTask(
    { name: "Left", queue: "load", requires: () => Leaf({ n: "a" }) },
    () => {},
  );
  const Right = defineTask(
    { name: "Right", queue: "sql", requires: () => Leaf({ n: "a" }) },
    function* () {
      yield* Leaf({ n: "b" });
    },
  );
  const Root = defineWrapper({ name: "Root", requires: () => [Left(), Right()] });
  const line = await pipeline([Leaf, Left, Right, Root], {}, undefined, url);
  await line.work();
  expect(statesOf(await line.run(Root()))).toEqual({
    "Root()": "complete",
    "Left()": "complete",
    "Right()": "complete",
    "Leaf(n=a)": "complete",
    "Leaf(n=b)": "complete",
  });
  const keys = await line.engine.redis.keys("*");
  const slots = new Set(
    await Promise.all(keys.map((key) => line.engine.redis.cluster("KEYSLOT", key))),
  );
  expect(keys.length).toBeGreaterThan(20);
  expect(slots.size).toBe(1);
  expect(line.errors).toEqual([]);
});

/** A cluster of one node that owns every slot. */
async function clusterNode({ command, env }: RedisProgram): Promise<string> {
  return onFreePort(async (port) => {
    const args = [
      "--port",
      String(port),
      "--cluster-enabled",
      "yes",
      "--cluster-port",
      "0",
      "--save",
      "",
    ];
    const server = spawn(command, args, { cwd: tempDir(), env, stdio: "ignore" });
    const ended = once(server, "exit");
    onTestFinished(async () => {
      server.kill("SIGKILL");
      await ended;
    });
    const url = `redis://127.0.0.1:${port}`;
    const redis = new Redis(url, { retryStrategy: () => 50, enableReadyCheck: false });
    redis.on("error", () => {});
    await redis.cluster("ADDSLOTSRANGE", 0, 16_383);
    await expect
      .poll(() => redis.cluster("INFO"), { timeout: 15_000 })
      .toContain("cluster_state:ok");
    redis.disconnect();
    return url;
  });
}
