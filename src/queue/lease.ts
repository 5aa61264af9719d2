/**
 * The right of one attempt to commit, kept alive while it runs. BullMQ's lock is a delivery hint: a
 * frozen Redis or event loop hands a running job out twice. The lease makes the second delivery wait.
 */
import { SluiceError } from "../core/errors.ts";
import type { Attempt } from "../core/target.ts";
import type { Task } from "../core/task.ts";
import type { Engine } from "./engine.ts";

/** Another attempt took over: whatever this one was about to write must not become visible. */
export class LeaseLostError extends SluiceError {
  constructor(task: Task) {
    super(
      "LEASE_LOST",
      `${task.name}: this attempt lost its lease, so it may not commit; another attempt has taken over`,
      { fields: { task: task.id } },
    );
  }
}

export interface LeaseSettings {
  /** Milliseconds without renewal after which another attempt may take over. */
  readonly leaseDuration: number;
}

export class Lease implements Attempt {
  readonly id: string;
  readonly number: number;
  readonly #engine: Engine;
  readonly #task: Task;
  readonly #settings: LeaseSettings;
  readonly #needs: string;
  readonly #lost = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    engine: Engine,
    task: Task,
    attempt: { readonly id: string; readonly number: number },
    settings: LeaseSettings,
    needs = "",
  ) {
    this.#engine = engine;
    this.#task = task;
    this.#settings = settings;
    this.#needs = needs;
    this.id = attempt.id;
    this.number = attempt.number;
  }

  /** Aborts, with a `LeaseLostError`, when another attempt has taken over. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /** Renews three times a lease duration, until `stop`. A Redis that is away is asked again. */
  keep(): void {
    this.#timer = setTimeout(() => {
      void this.confirmLease()
        .catch(() => {})
        .finally(() => {
          if (this.#timer !== undefined && !this.#lost.signal.aborted) this.keep();
        });
    }, this.#settings.leaseDuration / 3);
  }

  async confirmLease(): Promise<void> {
    this.#lost.signal.throwIfAborted();
    const { keys, scripts } = this.#engine;
    const { id, family } = this.#task;
    const held = await scripts.call(
      "renew",
      keys.attempt(id),
      this.id,
      this.#settings.leaseDuration,
      keys.job(family.queue, id),
      keys.own,
      this.#needs,
    );
    if (held === 1) return;
    const error = new LeaseLostError(this.#task);
    this.#lost.abort(error);
    throw error;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /**
   * Gives the lease back without a commit: the end of the attempt is not a crash. A run that was given
   * up and goes on may commit no more, whether or not Redis was told.
   */
  async release(): Promise<void> {
    this.stop();
    this.#lost.abort(new LeaseLostError(this.#task));
    const { keys, scripts } = this.#engine;
    await scripts.call("release", keys.attempt(this.#task.id), this.id, keys.own, this.#needs);
  }
}
