import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { UsageError } from "../../../src/core/errors.ts";
import { cacheFolder } from "../../../src/embedded/cache-folder.ts";
import { onFreePort, PortTakenError } from "../../../src/embedded/free-port.ts";
import { fetchRedis } from "../../../src/embedded/redis/fetch-redis.ts";
import { findRedis, redisFolders } from "../../../src/embedded/redis/find-redis.ts";
import { startRedis } from "../../../src/embedded/redis/start-redis.ts";
import { tempDir } from "../../support/services.ts";

const password = "only-for-this-test";
const aptGet = "/usr/bin/apt-get";

test.skipIf(!existsSync(aptGet))(
  "where no Redis is on the PATH and no package list was fetched, it is fetched without installing",
  async () => {
    const dir = tempDir();
    const cache = join(dir, "cache", "sluice");
    mkdirSync(cache, { recursive: true });
    const fetched = await fetchRedis({ cache, lists: join(dir, "no-lists") });
    expect(fetched.command.startsWith(cache)).toBe(true);
    // What is kept is used: without a way to fetch, and by a start that finds none on the PATH.
    const again = await fetchRedis({ cache, aptGet: "/nonexistent/apt-get" });
    expect(again).toEqual(fetched);
    const env = { ...process.env, XDG_CACHE_HOME: join(dir, "cache") };
    const server = await startRedis({ dir: join(dir, "redis"), password, env, folders: [] });
    onTestFinished(server.stop);
    expect(server.program.command).toBe(fetched.command);
    const redis = new Redis(server.url);
    expect(await redis.eval("return cjson.encode({cmsgpack ~= nil})", 0)).toBe("[true]");
    await redis.quit();
  },
);

test("where Redis can be neither found nor fetched, one line says what to install", async () => {
  const dir = tempDir();
  const start = startRedis({
    dir,
    password,
    env: {},
    folders: [],
    aptGet: join(dir, "apt-get"),
  });
  await expect(start).rejects.toThrow(UsageError);
  await expect(start).rejects.toThrow(/^Redis is not installed here\. Install it .*REDIS_URL.*$/);
});

test("where fetching fails, the line holds the reason that apt-get gave", async () => {
  const dir = tempDir();
  const failing = join(dir, "apt-get");
  writeFileSync(failing, "#!/bin/sh\necho 'E: no network' >&2\nexit 100\n", { mode: 0o755 });
  const env = { XDG_CACHE_HOME: dir };
  const start = startRedis({ dir, password, env, folders: [], aptGet: failing });
  await expect(start).rejects.toThrow(/Fetching it with apt-get failed: E: no network\./);
});

test("Valkey will do where there is no Redis, and Redis comes first", () => {
  const [first, second] = [tempDir(), tempDir()];
  const program = (folder: string, name: string) => {
    writeFileSync(join(folder, name), "", { mode: 0o755 });
    return join(folder, name);
  };
  const valkey = program(first, "valkey-server");
  expect(findRedis([first, second])?.command).toBe(valkey);
  const redis = program(second, "redis-server");
  expect(findRedis([first, second])?.command).toBe(redis);
  expect(redisFolders({ PATH: `${first}:${second}` }).slice(0, 2)).toEqual([first, second]);
});

test("without its password nobody gets in", async () => {
  const server = await startRedis({ dir: tempDir(), password, env: process.env });
  onTestFinished(server.stop);
  const stranger = new Redis(server.port, "127.0.0.1");
  onTestFinished(() => stranger.disconnect());
  stranger.on("error", () => undefined);
  await expect(stranger.get("key")).rejects.toThrow("NOAUTH");
});

test("a cache folder that others can write to is not used", () => {
  const open = join(tempDir(), "sluice");
  mkdirSync(open, { mode: 0o700 });
  expect(cacheFolder({ XDG_CACHE_HOME: dirname(open) })).toBe(open);
  chmodSync(open, 0o777);
  expect(cacheFolder({ XDG_CACHE_HOME: dirname(open) })).not.toBe(open);
});

test("a server whose port was taken meanwhile is started on another one", async () => {
  const taken: number[] = [];
  const result = await onFreePort(async (port) => {
    if (taken.push(port) < 3) throw new PortTakenError();
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(port, "127.0.0.1", resolve);
    });
    server.close();
    return port;
  });
  expect(result).toBe(taken[2]);
});
