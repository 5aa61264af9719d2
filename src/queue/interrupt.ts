/**
 * What ends an attempt before its run does: its timeout, a cancel, a stop of the worker, a lost lease.
 * The first reason counts, and the attempt ends with it, whatever run() makes of the abort. A run that
 * does not heed it is given up after a grace: it holds up no worker.
 */
import { durationText } from "../core/duration.ts";
import { SluiceError } from "../core/errors.ts";
import type { Task } from "../core/task.ts";

/** The reason of an abort that hands jobs back instead of failing them. */
export class WorkerStopping extends Error {
  constructor() {
    super("the worker is stopping");
  }
}

/** The reason of an abort that somebody asked for. */
export class CancelledBy extends Error {
  readonly by: string;
  constructor(by: string) {
    super(`cancelled by ${by}`);
    this.by = by;
  }
}

/** One a delivery. Its signal is made when somebody asks for it: most attempts never do. */
export class Interrupt {
  #reason: Error | undefined;
  #controller: AbortController | undefined;
  #onAbort: (() => void) | undefined;

  /** Why the attempt has to end; undefined while it may go on. */
  get reason(): Error | undefined {
    return this.#reason;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  abort(reason: Error): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
    this.#onAbort?.();
  }

  throwIfAborted(): void {
    if (this.#reason !== undefined) throw this.#reason;
  }

  /**
   * Gives what the work gives, or throws the reason of the abort, at the latest `grace` milliseconds
   * after it. What is given up goes on unheard.
   */
  async bound<T>(task: Task, grace: number, work: () => Promise<T>): Promise<T> {
    this.throwIfAborted();
    const limit = task.family.timeout;
    const timer =
      limit === undefined ? undefined : setTimeout(() => this.abort(timedOut(task, limit)), limit);
    let giveUp: NodeJS.Timeout | undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        this.#onAbort = () => {
          giveUp = setTimeout(() => reject(new Error("run() did not heed its signal")), grace);
        };
        work().then(resolve, reject);
      });
    } catch (error) {
      this.throwIfAborted();
      throw error;
    } finally {
      // A lease that is given back later aborts, too, and must start no timer.
      this.#onAbort = undefined;
      clearTimeout(timer);
      clearTimeout(giveUp);
    }
  }
}

function timedOut(task: Task, limit: number): SluiceError {
  return new SluiceError(
    "TASK_TIMEOUT",
    `${task.name}: ran longer than ${durationText(limit)}; its statement was cancelled. Raise timeout in the declaration of ${task.family.name}, or let it do less at a time`,
    { fields: { task: task.id, timeout: limit } },
  );
}
