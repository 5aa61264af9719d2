/**
 * Starts a private Redis for one folder: loopback only, with a password, nothing evicted, every
 * write in the append-only file. It ends with this process, and the next start finds its data.
 */

import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { SluiceError } from "../../core/errors.ts";
import { cacheFolder, type Environment } from "../cache-folder.ts";
import { onFreePort, PortTakenError } from "../free-port.ts";
import { type GuardedProcess, startGuarded } from "../process-guard.ts";
import { fetchRedis, noRedis } from "./fetch-redis.ts";
import { findRedis, type RedisProgram, redisFolders } from "./find-redis.ts";

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** "7.0.15" */
  readonly version: string;
  /** What runs; a fetched one needs its environment, too. */
  readonly program: RedisProgram;
  readonly stop: () => Promise<void>;
}

export interface RedisOptions {
  /** Holds the data, the log and the configuration of this server. */
  readonly dir: string;
  readonly password: string;
  readonly env: Environment;
  /** Where to look for the program; default: the PATH and Homebrew's folders. */
  readonly folders?: readonly string[] | undefined;
  /** The program that fetches Redis on Debian and Ubuntu. */
  readonly aptGet?: string;
}

/** Finds or fetches Redis, starts it, and resolves when it answers. */
export async function startRedis(options: RedisOptions): Promise<RedisServer> {
  const program = await obtainRedis(options);
  mkdirSync(options.dir, { recursive: true, mode: 0o700 });
  return onFreePort((port) => startOn(port, program, options));
}

async function obtainRedis(options: RedisOptions): Promise<RedisProgram> {
  const { env, folders, aptGet = "/usr/bin/apt-get" } = options;
  const found = findRedis(folders ?? redisFolders(env));
  if (found !== undefined) return found;
  if (!existsSync(aptGet)) throw noRedis("");
  return fetchRedis({ cache: cacheFolder(env), aptGet });
}

async function startOn(
  port: number,
  program: RedisProgram,
  { dir, password, env }: RedisOptions,
): Promise<RedisServer> {
  // A file, because arguments can be read by every user of the machine.
  const configuration = join(dir, "redis.conf");
  writeFileSync(configuration, redisConfiguration(port, password), { mode: 0o600 });
  chmodSync(configuration, 0o600);
  const server = await startGuarded({
    name: "Redis",
    command: program.command,
    args: ["redis.conf"],
    cwd: dir,
    env: { PATH: env["PATH"] ?? "/usr/bin:/bin", ...program.env },
    logFile: join(dir, "redis.log"),
    pidFile: join(dir, "redis.pid"),
    stopSignal: "SIGTERM",
    killSignal: "SIGKILL",
  });
  const url = `redis://:${password}@127.0.0.1:${port}`;
  const version = await serverVersion(url, server);
  return { url, port, pid: server.pid, version, program, stop: server.stop };
}

function redisConfiguration(port: number, password: string): string {
  return [
    "bind 127.0.0.1",
    `port ${port}`,
    `requirepass ${password}`,
    "dir .",
    'save ""',
    "appendonly yes",
    "maxmemory-policy noeviction",
    "daemonize no",
    "",
  ].join("\n");
}

/**
 * Waits until *our* server answers: on a taken port ours ends at once, and another Redis, perhaps
 * one without a password, may be listening there.
 */
async function serverVersion(url: string, server: GuardedProcess): Promise<string> {
  const client = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
  client.on("error", () => undefined);
  try {
    const info = await Promise.race([client.info("server"), server.exited.then(() => undefined)]);
    const field = (name: string) => new RegExp(`^${name}:(\\S+)`, "m").exec(info ?? "")?.[1];
    const version = field("valkey_version") ?? field("redis_version");
    if (field("process_id") === String(server.pid) && version !== undefined) return version;
    await server.stop();
    if (/Address already in use/i.test(server.log())) throw new PortTakenError();
    throw new SluiceError(
      "REDIS_NOT_STARTED",
      `Redis did not start. Its log ends with:\n${server.log().split("\n").slice(-5).join("\n")}`,
    );
  } finally {
    client.disconnect();
  }
}
