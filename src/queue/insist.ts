/**
 * Repeats a call to Redis that failed, for a moment. For calls that may be repeated, and whose loss
 * would be told wrong: a record that was not kept, a lease that looks like a crash.
 */
import { setTimeout as sleep } from "node:timers/promises";

/** Milliseconds: long enough for a script that blocks, or for the end of a failover's confusion. */
const PAUSES = [20, 200, 1_000];

/** Gives what the call gives in the end, or throws its last error. */
export async function insist<T>(call: () => Promise<T>): Promise<T> {
  for (const pause of PAUSES) {
    try {
      return await call();
    } catch {
      await sleep(pause);
    }
  }
  return call();
}
