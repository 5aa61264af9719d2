/**
 * Connections to Redis. They wait for Redis to come back, because a worker outlives an outage; only
 * `ensureRedis`, which every process calls first, says soon that there is none.
 */
import { Redis } from "ioredis";
import { messageOf, PermanentError, UnreachableError, UsageError } from "../core/errors.ts";

/** Milliseconds that `ensureRedis` waits for a first answer. */
const LONGEST_SILENCE = 2_000;

/** Opens a connection for workers and for our own scripts; it reconnects by itself. */
export function connectRedis(url: string): Redis {
  const redis = new Redis({
    ...parseRedisUrl(url),
    maxRetriesPerRequest: null,
    lazyConnect: true,
    retryStrategy: (tries: number) => Math.min(50 * 2 ** Math.min(tries, 6), 2_000),
  });
  // ioredis reports every lost connection as an event; what matters surfaces in the commands.
  redis.on("error", () => {});
  redis.on("connect", () => gatherWrites(redis.stream));
  return redis;
}

/**
 * What many attempts send when their replies arrived together leaves in one write: each write of its
 * own costs this process as much as the rest of the command. It leaves before another connection is
 * read, so that Redis works on it meanwhile.
 */
function gatherWrites(socket: Redis["stream"]): void {
  socket.on("data", () => {
    socket.cork();
    // A tick that is asked for by a microtask comes after all of them.
    queueMicrotask(() => process.nextTick(() => socket.uncork()));
  });
}

/**
 * Connects, or says clearly why not; refuses a Redis that would evict keys, because an evicted job is
 * a lost job (BullMQ only warns).
 */
export async function ensureRedis(redis: Redis, address: string): Promise<void> {
  const failed = firstFailure(redis);
  try {
    const memory = await Promise.race([
      redis.connect().then(() => redis.info("memory")),
      failed.promise,
    ]);
    const policy = /maxmemory_policy:(\S+)/.exec(memory)?.[1] ?? "noeviction";
    if (policy !== "noeviction") {
      throw new PermanentError(
        "REDIS_EVICTS",
        `Redis at ${address} may evict keys (maxmemory-policy ${policy}), and an evicted job is lost: set maxmemory-policy to noeviction`,
      );
    }
  } catch (error) {
    redis.disconnect();
    if (error instanceof PermanentError) throw error;
    const refused = /NOAUTH|WRONGPASS|NOPERM/.test(messageOf(error));
    throw new UnreachableError(
      refused ? "REDIS_REFUSED" : "REDIS_UNREACHABLE",
      refused
        ? `Redis at ${address} refused the credentials: check the user and password in REDIS_URL`
        : `Redis at ${address} cannot be reached (${messageOf(error)}): is it running, and is REDIS_URL right?`,
      { cause: error },
    );
  } finally {
    failed.stop();
  }
}

/** `host:port/db`: what may be printed of a Redis URL. */
export function redisAddress(url: string): string {
  const { host, port, db } = parseRedisUrl(url);
  return `${host}:${port}/${db}`;
}

interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: object;
}

function parseRedisUrl(url: string): RedisAddress {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    // The cause is left out on purpose: it carries the URL, and so the password.
    throw new UsageError(
      "REDIS_URL_INVALID",
      "REDIS_URL is not a URL: expected redis://host:6379/0",
    );
  }
  const db = parsed.pathname.slice(1);
  if (!/^rediss?:$/.test(parsed.protocol) || !/^\d*$/.test(db)) {
    throw new UsageError(
      "REDIS_URL_INVALID",
      "REDIS_URL must look like redis://host:6379/0 or rediss://…; the value is not shown because it may hold a password",
    );
  }
  return {
    host: parsed.hostname.replace(/^\[|\]$/g, ""),
    port: Number(parsed.port || 6379),
    db: Number(db || 0),
    ...(parsed.username && { username: decodeURIComponent(parsed.username) }),
    ...(parsed.password && { password: decodeURIComponent(parsed.password) }),
    ...(parsed.protocol === "rediss:" && { tls: {} }),
  };
}

/**
 * Rejects with the first connection error, or when nothing was heard for too long: `connect()` of a
 * reconnecting client retries for ever, and a frozen Redis accepts connections.
 */
function firstFailure(redis: Redis): { promise: Promise<never>; stop(): void } {
  let stop = () => {};
  const promise = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`no answer within ${LONGEST_SILENCE} ms`));
    }, LONGEST_SILENCE);
    redis.once("error", reject);
    stop = () => {
      clearTimeout(timer);
      redis.off("error", reject);
    };
  });
  promise.catch(() => {});
  return { promise, stop };
}
