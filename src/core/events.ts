/**
 * What happens to tasks, as a typed map `noun:verb`. A listener can be slow or throw: no task ever
 * notices, because listeners are called outside the attempt and their errors go to `onListenerError`.
 */
import { setTimeout as delay } from "node:timers/promises";

interface TaskFacts {
  readonly task: { readonly id: string; readonly name: string; readonly family: string };
  readonly queue: string;
  /** The root tasks' ids that this task was enqueued for. */
  readonly root: string;
  readonly attempt: { readonly id: string; readonly number: number };
}

export interface SluiceEvents {
  /** An attempt begins: the lease is held and `run` is about to be called. */
  "task:started": TaskFacts;
  /** The task is recorded as complete. `seconds` is the attempt's time. */
  "task:succeeded": TaskFacts & {
    readonly seconds: number;
    readonly rows: number | undefined;
    readonly bytes: number | undefined;
  };
  /** An attempt failed and another will follow. */
  "task:retrying": TaskFacts & { readonly seconds: number; readonly error: Failure };
  /** The task failed for good; its ancestors wait until it is retried. */
  "task:failed": TaskFacts & { readonly seconds: number; readonly error: Failure };
  /**
   * The worker of an attempt died or froze, which the next attempt found; told once. `seconds` is the
   * time until its lease ran out.
   */
  "task:lost": TaskFacts & { readonly seconds: number; readonly error: Failure };
  /** An attempt ended with no result and is not counted: see `Release`. */
  "task:released": TaskFacts & { readonly seconds: number; readonly reason: Release };
  /** A task that had failed for good is complete. `seconds` is the time since it failed. */
  "task:recovered": TaskFacts & { readonly seconds: number };
}

export type EventName = keyof SluiceEvents;

/**
 * blocked     its run waits for tasks that it yielded, or a requirement is open after all
 * returned    the worker stops: the job is back in the queue
 * superseded  another attempt has taken over
 */
export type Release = "blocked" | "returned" | "superseded";

/** An error as hooks may see it: no secrets, no stack. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  /** Family and code: the same cause has the same fingerprint on every day. */
  readonly fingerprint: string;
}

type Listener<Name extends EventName> = (event: SluiceEvents[Name]) => void | Promise<void>;

/** Hands events to listeners, isolated from each other and from the caller. */
export class EventHub {
  readonly #listeners: { readonly [Name in EventName]: Listener<Name>[] } = {
    "task:started": [],
    "task:succeeded": [],
    "task:retrying": [],
    "task:failed": [],
    "task:lost": [],
    "task:released": [],
    "task:recovered": [],
  };
  readonly #pending = new Set<Promise<void>>();
  readonly #onListenerError: (error: unknown, event: EventName) => void;

  constructor(onListenerError: (error: unknown, event: EventName) => void) {
    this.#onListenerError = onListenerError;
  }

  on<Name extends EventName>(name: Name, listener: Listener<Name>): void {
    this.#listeners[name].push(listener);
  }

  emit<Name extends EventName>(name: Name, event: SluiceEvents[Name]): void {
    for (const listener of this.#listeners[name]) {
      try {
        const answer = listener(event);
        if (answer instanceof Promise) this.#follow(name, answer);
      } catch (error) {
        this.#follow(name, Promise.reject(error));
      }
    }
  }

  #follow(name: EventName, listening: Promise<void>): void {
    const delivery: Promise<void> = listening
      .catch((error: unknown) => this.#onListenerError(error, name))
      .finally(() => this.#pending.delete(delivery));
    this.#pending.add(delivery);
  }

  /** Waits for listeners that are still at work, at most `milliseconds`. For an orderly exit. */
  async drain(milliseconds: number): Promise<void> {
    if (this.#pending.size === 0) return;
    const deadline = new AbortController();
    await Promise.race([
      Promise.all(this.#pending),
      delay(milliseconds, undefined, { signal: deadline.signal }).catch(() => {}),
    ]);
    deadline.abort();
  }
}
