/**
 * The right of one attempt to commit, kept alive while it runs. BullMQ's lock is a delivery hint: a
 * frozen Redis or event loop hands a running job out twice. The lease makes the second delivery wait.
 */
import { SluiceError } from "../core/errors.ts";
import type { Attempt } from "../core/target.ts";
import type { Task } from "../core/task.ts";
import type { Engine } from "./engine.ts";
import { insist } from "./insist.ts";

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
  readonly #onLost: (error: LeaseLostError) => void;
  #lost: LeaseLostError | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    engine: Engine,
    task: Task,
    attempt: { readonly id: string; readonly number: number },
    settings: LeaseSettings,
    needs = "",
    /** Hears, once, that another attempt has taken over, or that this one gave its lease back. */
    onLost: (error: LeaseLostError) => void = () => {},
  ) {
    this.#engine = engine;
    this.#task = task;
    this.#settings = settings;
    this.#needs = needs;
    this.#onLost = onLost;
    this.id = attempt.id;
    this.number = attempt.number;
  }

  /** Renews three times a lease duration, until `stop`. A Redis that is away is asked again. */
  keep(): void {
    this.#timer = setTimeout(() => {
      void this.confirmLease()
        .catch(() => {})
        .finally(() => {
          if (this.#timer !== undefined && this.#lost === undefined) this.keep();
        });
    }, this.#settings.leaseDuration / 3);
  }

  async confirmLease(): Promise<void> {
    if (this.#lost !== undefined) throw this.#lost;
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
    throw this.#lose();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /**
   * Gives the lease back without a commit: the end of the attempt is not a crash. A run that was given
   * up and goes on may commit no more, whether or not Redis was told. False when another attempt has the
   * lease, or BullMQ took the job from the holder of this lock token: this one ends for nobody.
   */
  async release(token = ""): Promise<boolean> {
    this.stop();
    this.#lose();
    const { keys, scripts } = this.#engine;
    const { id, family } = this.#task;
    const key = keys.attempt(id);
    const job = keys.job(family.queue, id);
    const released = await insist(() =>
      scripts.call("release", key, this.id, keys.own, this.#needs, job, token),
    );
    return released === 1;
  }

  #lose(): LeaseLostError {
    if (this.#lost === undefined) {
      this.#lost = new LeaseLostError(this.#task);
      this.#onLost(this.#lost);
    }
    return this.#lost;
  }
}
