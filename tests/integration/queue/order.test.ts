/** In which order jobs run, and where their keys live. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { defineTask, defineWrapper } from "../../../src/core/define.ts";
import { p } from "../../../src/core/params/p.ts";
import { onFreePort } from "../../../src/embedded/free-port.ts";
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
  const families = [after("Third", 9), after("First", 0), after("Second", 2)];
  let tries = 0;
  const Flaky = defineTask(
    { name: "Flaky", requires: () => Source(), retry: { backoff: "300ms" } },
    () => {
      tries += 1;
      order.push(`Flaky ${tries}`);
      if (tries === 1) throw new Error("once");
    },
  );
  const Root = defineWrapper({
    name: "Root",
    priority: 1,
    requires: () => [Flaky(), ...families.map((family) => family())],
  });
  const line = await pipeline([Source, ...families, Flaky, Root]);
  await submit(line, Root(), soon());
  const copy = await line.work({ queues: ["copy"] });
  await expect.poll(() => line.engine.queue("default").getWaitingChildrenCount()).toBe(1);
  await copy.stop(0);
  await line.work({ queues: ["default"], concurrency: 1 });
  expect(statesOf(await line.run(Root()))["Root()"]).toBe("complete");
  expect(order.slice(0, 2).sort()).toEqual(["First", "Flaky 1"]);
  expect(order.slice(2)).toEqual(["Second", "Third", "Flaky 2"]);
});

test("a diamond with yields drains on a Redis Cluster node, which refuses keys of two slots", async () => {
  const { command } = await privateRedis();
  const url = await clusterNode(command);
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
async function clusterNode(command: string): Promise<string> {
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
    const server = spawn(command, args, { cwd: tempDir(), stdio: "ignore" });
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
