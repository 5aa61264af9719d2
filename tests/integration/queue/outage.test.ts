/** A Redis that is silent while a command waits: it is said, and not waited for without end. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { Engine } from "../../../src/queue/engine.ts";
import { throughOutages } from "../../../src/queue/outage.ts";
import { privateRedis } from "../../support/private-redis.ts";
import { keyPrefix } from "../../support/services.ts";

async function frozen() {
  const { url, pid } = await privateRedis();
  const engine = await Engine.open({ redisUrl: url, prefix: keyPrefix() });
  onTestFinished(() => {
    process.kill(pid, "SIGCONT");
    return engine.close();
  });
  const said: string[] = [];
  const stop = new AbortController();
  return {
    said,
    stop,
    freeze: () => process.kill(pid, "SIGSTOP"),
    thaw: () => process.kill(pid, "SIGCONT"),
    /** Asks Redis once it is frozen. */
    ask: (limit: number) =>
      throughOutages(
        engine.redis,
        {
          address: "there",
          patience: 1_000,
          limit,
          onSilent: (address) => void said.push(`silent ${address}`),
          onBack: (address) => void said.push(`back ${address}`),
          signal: stop.signal,
        },
        async () => {
          await sleep(200);
          const answer = await engine.redis.echo("an answer");
          // Long enough for the next look.
          await sleep(1_500);
          return answer;
        },
      ),
  };
}

test("it is said once that Redis is silent, and once that it is back; the work goes on", async () => {
  const { ask, freeze, thaw, said } = await frozen();
  const work = ask(30_000);
  freeze();
  await expect.poll(() => said, { timeout: 10_000 }).toEqual(["silent there"]);
  await sleep(1_200);
  thaw();
  expect(await work).toBe("an answer");
  expect(said).toEqual(["silent there", "back there"]);
});

test("after the limit the waiting ends, with the error of a service that cannot be reached", async () => {
  const { ask, freeze } = await frozen();
  freeze();
  await expect(ask(2_000)).rejects.toMatchObject({
    name: "UnreachableError",
    message: expect.stringMatching(/^Redis at there has not answered for [2-9] s: gave up waiting/),
  });
});

test("Ctrl-C ends the waiting for a silent Redis, too", async () => {
  const { ask, freeze, stop, said } = await frozen();
  freeze();
  const work = ask(30_000);
  work.catch(() => {});
  await expect.poll(() => said, { timeout: 10_000 }).toEqual(["silent there"]);
  stop.abort();
  await expect(work).rejects.toMatchObject({ code: "REDIS_UNREACHABLE" });
});
