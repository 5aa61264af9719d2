/**
 * Invalidates tasks: what they wrote counts no more, and they run again when they are next needed.
 *
 * The order is what makes it safe to die anywhere. First one script withdraws all records, grows the
 * generations, marks the outputs as stale and writes the audit entry: all of it or nothing. From then
 * on no plan, adoption or attempt takes an output of the former generation for the task's. Then the
 * outputs are removed, each under the lease of its task. If this process dies before it is through,
 * the next attempt of the task removes them, under its own lease, before it runs. The other order
 * would leave, after a crash, a record of an output that is gone, and plans believe records.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { UsageError } from "../core/errors.ts";
import type { Stores } from "../core/stores.ts";
import { boundOutputs } from "../core/target.ts";
import type { Task } from "../core/task.ts";
import { concurrently } from "./concurrently.ts";
import type { Engine } from "./engine.ts";
import { Lease, LeaseLostError } from "./lease.ts";
import type { Workplace } from "./runtime.ts";
import { withdraw } from "./withdraw.ts";

const CONCURRENT_REMOVALS = 8;
const REMOVAL_LEASE = 20_000;
/** A task that was recorded because its output was found may have a job at work, which ends at its gate. */
const ENDING = { pause: 50, looks: 40 };

export interface InvalidateOptions {
  readonly signal: AbortSignal;
  /** For the audit: `user@host`. */
  readonly who: string;
  readonly reason: string;
  /**
   * Milliseconds after the death of this process until an attempt may begin although an output is not
   * removed yet, and removes it itself. Default: 20 s.
   */
  readonly leaseDuration?: number;
}

/** Throws `TASK_RUNNING`, and changes nothing, when an attempt of one of the tasks is at work. */
export async function invalidate(
  place: Workplace,
  tasks: readonly Task[],
  { signal, who, reason, leaseDuration = REMOVAL_LEASE }: InvalidateOptions,
): Promise<void> {
  const entry = (of: readonly Task[]) =>
    JSON.stringify({ who, reason, tasks: of.map(({ id }) => id) });
  const withdrawAll = (of: readonly Task[]) =>
    withdraw(
      place.engine,
      entry(of),
      of.map((task) => ({ task })),
    );
  let codes = await withdrawAll(tasks);
  for (let look = 1; look < ENDING.looks && codes.includes("e"); look += 1) {
    await sleep(ENDING.pause, undefined, { signal });
    codes = await withdrawAll(tasks);
  }
  const running = tasks.filter((_, index) => codes[index] === "r" || codes[index] === "e");
  if (running.length > 0) throw stillRunning(running);
  await concurrently(CONCURRENT_REMOVALS, tasks, async (task) => {
    let again = true;
    while (again) {
      try {
        await removeUnderLease(place, task, leaseDuration, signal);
        again = false;
      } catch (error) {
        if (!(error instanceof LeaseLostError)) throw error;
        // This process was frozen meanwhile: what it removed may have been the next generation's.
        again = (await withdrawAll([task]))[0] === "w";
      }
    }
  });
}

/** Unless an attempt was quicker: then it removes them, or has already. */
async function removeUnderLease(
  { engine, stores }: Workplace,
  task: Task,
  leaseDuration: number,
  signal: AbortSignal,
): Promise<void> {
  const attempt = { id: `invalidation-${randomUUID()}`, number: 0 };
  const key = engine.keys.attempt(task.id);
  if ((await engine.scripts.call("claim", key, attempt.id, leaseDuration)) === 0) return;
  const lease = new Lease(engine, task, attempt, { leaseDuration });
  lease.keep();
  try {
    await removeStaleOutputs(engine, stores, task, lease, signal);
  } finally {
    lease.stop();
    await lease.release();
  }
}

/** Removes the outputs of a former generation, by whoever holds the lease of the task. */
export async function removeStaleOutputs(
  engine: Engine,
  stores: Stores,
  task: Task,
  lease: Lease,
  signal: AbortSignal,
): Promise<void> {
  for (const output of boundOutputs({ task, stores, signal })) {
    await lease.confirmLease();
    await output.remove?.();
  }
  const settled = await engine.scripts.call("settle", engine.keys.attempt(task.id), lease.id);
  if (settled === 0) throw new LeaseLostError(task);
}

function stillRunning(tasks: readonly Task[]): UsageError {
  const names = tasks.map(({ name }) => name).join(", ");
  const [verb, they] = tasks.length === 1 ? ["is", "it has"] : ["are", "they have"];
  return new UsageError(
    "TASK_RUNNING",
    `${names} ${verb} running, and what runs cannot be invalidated: wait until ${they} ended, or stop the worker, then invalidate again. Nothing was changed.`,
    { fields: { tasks: tasks.map(({ id }) => id) } },
  );
}
