/**
 * What ends an attempt before its run does: its timeout, a cancel, a stop of the worker, a lost lease.
 * One signal for all of them, and its reason is what the attempt ends with, whatever run() makes of
 * the abort. A run that does not heed the signal is given up after a grace: it holds up no worker.
 */
import { durationText } from "../core/duration.ts";
import { SluiceError } from "../core/errors.ts";
import type { Task } from "../core/task.ts";

export interface Interrupts {
  readonly signals: readonly AbortSignal[];
  /** Milliseconds that the work has after the abort. */
  readonly grace: number;
}

/** Gives what the work gives, or throws the reason of the abort. What is given up goes on unheard. */
export async function interruptible<T>(
  task: Task,
  { signals, grace }: Interrupts,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeout = new AbortController();
  const limit = task.family.timeout;
  const timer =
    limit === undefined ? undefined : setTimeout(() => timeout.abort(timedOut(task, limit)), limit);
  const signal = AbortSignal.any([...signals, timeout.signal]);
  // Ends the listener below: a lease that is given back later aborts too, and must start no timer.
  const ended = new AbortController();
  let giveUp: NodeJS.Timeout | undefined;
  const givenUp = new Promise<never>((_, reject) => {
    const onAbort = () => {
      giveUp = setTimeout(() => reject(new Error("run() did not heed its signal")), grace);
    };
    signal.addEventListener("abort", onAbort, { signal: ended.signal });
  });
  try {
    signal.throwIfAborted();
    return await Promise.race([work(signal), givenUp]);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    ended.abort();
    clearTimeout(timer);
    clearTimeout(giveUp);
  }
}

function timedOut(task: Task, limit: number): SluiceError {
  return new SluiceError(
    "TASK_TIMEOUT",
    `${task.name}: ran longer than ${durationText(limit)}; its statement was cancelled. Raise timeout in the declaration of ${task.family.name}, or let it do less at a time`,
    { fields: { task: task.id, timeout: limit } },
  );
}
