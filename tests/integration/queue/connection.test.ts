/** Redis that is not there, not ours, or not fit for a queue. */
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { defineTask } from "../../../src/core/define.ts";
import { Engine } from "../../../src/queue/engine.ts";
import { Keys } from "../../../src/queue/keys.ts";
import { submit } from "../../../src/queue/submit.ts";
import { openStores } from "../../../src/stores/open-stores.ts";
import { pipeline } from "../../support/pipeline.ts";
import { privateRedis } from "../../support/private-redis.ts";
import { proxied } from "../../support/proxied.ts";
import type { Link } from "../../support/tcp-proxy.ts";

const prefix = "{sluice-test-connection}";

async function refusal(redisUrl: string) {
  const error: unknown = await Engine.open({ redisUrl, prefix }).then(
    async (engine) => engine.close(),
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new Error("it was opened");
  return { code: Reflect.get(error, "code") as unknown, message: error.message };
}

test("nobody listens: said at once, with the address", async () => {
  const { code, message } = await refusal("redis://app:hunter2@127.0.0.1:1/3");
  expect(code).toBe("REDIS_UNREACHABLE");
  expect(message).toMatch(
    /^Redis at 127\.0\.0\.1:1\/3 cannot be reached \(.*ECONNREFUSED.*\): is it/,
  );
  expect(message).not.toContain("hunter2");
});

test("a host that does not exist", async () => {
  const { code, message } = await refusal("redis://no-such-host.invalid:6379");
  expect([code, message]).toEqual([
    "REDIS_UNREACHABLE",
    expect.stringContaining("no-such-host.invalid:6379/0 cannot be reached"),
  ]);
});

test("a Redis that hangs, refuses the password, or may evict jobs", async () => {
  const { url, pid, port } = await privateRedis();
  const wrong = await refusal(`redis://:wrong-secret@127.0.0.1:${port}`);
  expect(wrong.code).toBe("REDIS_REFUSED");
  expect(wrong.message).toBe(
    `Redis at 127.0.0.1:${port}/0 refused the credentials: check the user and password in REDIS_URL`,
  );
  expect((await refusal(`redis://127.0.0.1:${port}`)).code).toBe("REDIS_REFUSED");

  process.kill(pid, "SIGSTOP");
  const hung = await refusal(url);
  process.kill(pid, "SIGCONT");
  expect(hung.code).toBe("REDIS_UNREACHABLE");
  expect(hung.message).toContain("(no answer within 2000 ms)");

  const admin = new Redis(url);
  await admin.config("SET", "maxmemory-policy", "allkeys-lru");
  admin.disconnect();
  const evicting = await refusal(url);
  expect(evicting.code).toBe("REDIS_EVICTS");
  expect(evicting.message).toBe(
    `Redis at 127.0.0.1:${port}/0 may evict keys (maxmemory-policy allkeys-lru), and an evicted job is lost: set maxmemory-policy to noeviction`,
  );
});

test.each([
  ["no URL at all", "hunter2", "REDIS_URL is not a URL: expected redis://host:6379/0"],
  ["another protocol", "http://app:hunter2@h:1/", "REDIS_URL must look like redis://host:6379/0"],
  ["a database that is no number", "redis://:hunter2@h:1/x", "REDIS_URL must look like redis://"],
])("%s", async (_, url, expected) => {
  const { code, message } = await refusal(url);
  expect(code).toBe("REDIS_URL_INVALID");
  expect(message).toContain(expected);
  expect(message).not.toContain("hunter2");
});

test.each(["sluice", "{a}:b", "{a}{b}", "{}", ""])("the prefix %j is refused", (wrong) => {
  expect(() => new Keys(wrong)).toThrow(
    `${JSON.stringify(wrong)} cannot be the key prefix: it must be one Redis hash tag such as "{sluice}"`,
  );
});

test.for([1, 2, 3])("connection %i of an engine breaks as it opens: it recovers", async (nth) => {
  const { proxy, url } = await proxied((await privateRedis()).url);
  let connections = 0;
  const known = new WeakSet<Link>();
  proxy.rules.onClient = (_bytes, link) => {
    if (known.has(link)) return;
    known.add(link);
    if (++connections === nth) link.cut();
  };
  const open = () => Engine.open({ redisUrl: url, prefix });
  // Refused at its very first connection: then the process ends, and is started again.
  const engine = await open().catch(open);
  const counts = () => engine.queue("load").getJobCounts("waiting");
  await expect.poll(() => counts().catch(String)).toEqual({ waiting: 0 });
  expect(await (await engine.flow.getBackend().client).get("nothing")).toBeNull();
  await engine.close();
});

test("a worker that cannot start leaves no half of itself at work", async () => {
  const { proxy, url } = await proxied((await privateRedis()).url);
  const done: string[] = [];
  const Copy = defineTask({ name: "Copy", queue: "copy" }, () => void done.push("copy"));
  const Load = defineTask({ name: "Load", queue: "load" }, () => void done.push("load"));
  const line = await pipeline([Copy, Load], {}, openStores({}), url);
  const own = await line.engine.redis.client("ID");
  // The connection of the second queue's worker breaks as it opens.
  let connections = 0;
  const known = new WeakSet<Link>();
  proxy.rules.onClient = (_bytes, link) => {
    if (known.has(link)) return;
    known.add(link);
    if (++connections === 3) link.cut();
  };
  await expect(line.work()).rejects.toThrow("Connection is closed");
  proxy.rules = {};
  for (const task of [Copy(), Load()])
    await submit(line, task, { signal: AbortSignal.timeout(9_000) });
  // Nothing tells that nothing will happen; a worker takes a job within milliseconds.
  await sleep(500);
  expect(done).toEqual([]);
  expect(await line.engine.redis.client("ID")).toBe(own);
});
