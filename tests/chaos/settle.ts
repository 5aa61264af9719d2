/**
 * After both roots are complete: waits until nobody is at work any more, so that whoever was frozen or cut
 * off has tried its commit, and every job has been to its gate. Judges nothing; what never comes to rest
 * is left to the checks.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Workplace } from "../../src/queue/runtime.ts";
import { leftJobs } from "./facts.ts";
import { busyProcesses } from "./ledger.ts";
import type { Stage } from "./stage.ts";

/** For what is under way and in nobody's books: a request that a proxy held back, a timer of a lease. */
const LEAST = 500;
const MOST = 10_000;

export async function settle(place: Workplace, stage: Stage, ledger: string): Promise<void> {
  const began = Date.now();
  for (;;) {
    await sleep(100);
    const waited = Date.now() - began;
    if (waited > MOST) return;
    if (waited < LEAST || stage.slotsOf(busyProcesses(ledger)).length > 0) continue;
    if ((await leftJobs(place)).length === 0) return;
  }
}
