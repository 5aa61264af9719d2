/**
 * Notices that Redis is silent. Nothing else does: calls wait for it to come back, for as long as that
 * takes, and a frozen one does not even lose its connections. Ends nothing but the waiting.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import { UnreachableError } from "../core/errors.ts";

export interface OutageOptions {
  /** `host:port/db` */
  readonly address: string;
  /** Milliseconds of silence after which `onSilent` is called. */
  readonly patience: number;
  /** Milliseconds of silence after which the work is given up. */
  readonly limit: number;
  readonly onSilent: (address: string) => void;
  /** It answers again. */
  readonly onBack: (address: string) => void;
  /** Gives the work up at once while Redis is silent. */
  readonly signal: AbortSignal;
}

/** Milliseconds between two looks. */
const PAUSE = 500;

/** Gives what the work gives, or throws an `UnreachableError` when Redis is silent for too long. */
export async function throughOutages<T>(
  redis: Redis,
  options: OutageOptions,
  work: () => Promise<T>,
): Promise<T> {
  const done = new AbortController();
  try {
    return await Promise.race([work(), silence(redis, options, done.signal)]);
  } finally {
    done.abort();
  }
}

async function silence(
  redis: Redis,
  { address, patience, limit, onSilent, onBack, signal }: OutageOptions,
  done: AbortSignal,
): Promise<never> {
  let heard = performance.now();
  let asked = false;
  let told = false;
  for (;;) {
    if (!asked) {
      asked = true;
      void redis
        .ping()
        .then(() => {
          heard = performance.now();
        })
        .catch(() => {})
        .finally(() => {
          asked = false;
        });
    }
    // Never rejects when the work is done: nobody listens any more.
    await sleep(PAUSE, undefined, { signal: done }).catch(() => new Promise<never>(() => {}));
    const silent = performance.now() - heard;
    if (silent < patience) {
      if (told) onBack(address);
      told = false;
      continue;
    }
    if (!told) onSilent(address);
    told = true;
    if (silent > limit || signal.aborted) {
      throw new UnreachableError(
        "REDIS_UNREACHABLE",
        `Redis at ${address} has not answered for ${Math.round(silent / 1000)} s: gave up waiting. What is in the queue goes on when it is back; then run the same command again, it goes on where this left off`,
      );
    }
  }
}
