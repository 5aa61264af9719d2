/** A Redis of one file's own, to freeze, to misconfigure or to stop. */
import { type RedisServer, startRedis } from "../../src/embedded/redis/start-redis.ts";
import { afterEveryFile } from "./closing.ts";
import { tempDir } from "./services.ts";

const stops: (() => Promise<void>)[] = [];

// After all, not after each: what uses it is closed after each.
afterEveryFile("servers", async () => {
  for (const stop of stops.splice(0)) await stop();
});

export async function privateRedis(): Promise<RedisServer> {
  const server = await startRedis({ dir: tempDir(), password: "hunter2", env: process.env });
  stops.push(async () => {
    // One that is frozen would not hear that it is to stop.
    process.kill(server.pid, "SIGCONT");
    await server.stop();
  });
  return server;
}
