/**
 * Writes what happens to attempts into Redis, apart from BullMQ's jobs, so that trimming jobs loses no
 * history. It stands beside the tasks: events go into a bounded buffer and are written in batches. No
 * task waits for it or fails with it; what cannot be written is dropped and counted.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../core/errors.ts";
import type { EventHub, EventName, Failure, SluiceEvents } from "../../core/events.ts";
import type { Engine } from "../engine.ts";
import type { AttemptPart, Ending } from "./attempt.ts";

export interface HistorySettings {
  /** Who writes: `host:pid`. */
  readonly worker: string;
  /** Of the code that runs the tasks. */
  readonly version: string;
  /** Gets the number of parts that were dropped since the last call, and why. */
  readonly onDropped: (count: number, reason: string) => void;
}

/** Milliseconds that a part waits for company, and how many make a batch. */
const PAUSE = 200;
const BATCH = 100;
/** With so many waiting, the oldest are written: the younger may still be joined by their ends. */
const ENOUGH = 2 * BATCH;
/** Parts in memory while Redis is away: about 5 MB. */
const WAITING_LIMIT = 10_000;
/** Characters of an error's message: errors of databases can carry whole statements. */
const MESSAGE_LIMIT = 4_000;
/** Parts of one task: one that is retried every 30 minutes fills this in three weeks. */
const PARTS_A_TASK = 2_000;

interface Waiting {
  readonly task: string;
  readonly part: AttemptPart;
}

/** Listens to `hub` from now on; `close` writes what waits, for at most so many milliseconds. */
export function recordHistory(
  hub: EventHub,
  engine: Engine,
  settings: HistorySettings,
): { close(milliseconds: number): Promise<void> } {
  return new Recorder(hub, engine, settings);
}

class Recorder {
  readonly #engine: Engine;
  readonly #settings: HistorySettings;
  /** By attempt id: the end of an attempt joins its start while that was not written. */
  readonly #waiting = new Map<string, Waiting>();
  /** Ids of the attempts that started and have not ended. */
  readonly #running = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #overflow = 0;
  #closing = false;

  constructor(hub: EventHub, engine: Engine, settings: HistorySettings) {
    this.#engine = engine;
    this.#settings = settings;
    hub.on("task:started", (event) => this.#start(event));
    hub.on("task:succeeded", (event) => {
      const { rows, bytes } = event;
      this.#end(event, "succeeded", {
        ...(rows !== undefined && { rows }),
        ...(bytes !== undefined && { bytes }),
      });
    });
    hub.on("task:retrying", (event) => this.#fail(event, "retrying"));
    hub.on("task:failed", (event) => this.#fail(event, "failed"));
    // By the one who found it, on another worker: only what it knows is added.
    hub.on("task:lost", (event) => this.#end(event, "lost", { error: shortened(event.error) }));
    hub.on("task:released", (event) => {
      // Released at the gate: nothing ran.
      if (this.#running.has(event.attempt.id)) this.#end(event, event.reason);
    });
  }

  /** Writes what waits, for at most `milliseconds`. */
  async close(milliseconds: number): Promise<void> {
    this.#closing = true;
    const written = new AbortController();
    const deadline = sleep(milliseconds, undefined, { signal: written.signal }).catch(() => {});
    await Promise.race([this.#write(), deadline]);
    written.abort();
  }

  #start({ task, queue, root, attempt }: SluiceEvents["task:started"]): void {
    const { worker, version } = this.#settings;
    this.#running.add(attempt.id);
    this.#accept(task.id, {
      attempt: attempt.id,
      number: attempt.number,
      name: task.name,
      root,
      queue,
      worker,
      version,
      started: Date.now(),
    });
  }

  #fail(event: SluiceEvents["task:failed"], outcome: Ending): void {
    const { worker, version } = this.#settings;
    // With its worker: a task that fails at the gate has no start.
    const more = { name: event.task.name, queue: event.queue, root: event.root, worker, version };
    this.#end(event, outcome, { ...more, error: shortened(event.error) });
  }

  #end(
    { task, attempt, seconds }: SluiceEvents[Exclude<EventName, "task:started">],
    outcome: Ending,
    more: Partial<AttemptPart> = {},
  ): void {
    const { id, number } = attempt;
    this.#running.delete(id);
    this.#accept(task.id, { ...more, attempt: id, number, ended: Date.now(), outcome, seconds });
  }

  #accept(task: string, part: AttemptPart): void {
    const known = this.#waiting.get(part.attempt);
    if (known === undefined && this.#waiting.size >= WAITING_LIMIT) {
      this.#overflow += 1;
      return;
    }
    if (known === undefined) this.#waiting.set(part.attempt, { task, part });
    else Object.assign(known.part, part);
    if (this.#waiting.size >= ENOUGH) void this.#write();
    else this.#writeSoon();
  }

  #writeSoon(): void {
    this.#timer ??= setTimeout(() => void this.#write(), PAUSE).unref();
  }

  /** Never rejects. One writer at a time: while Redis is away, one batch is under way, the rest waits. */
  #write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing ??= this.#writeBatches().finally(() => {
      this.#writing = undefined;
      if (this.#waiting.size > 0) this.#writeSoon();
    });
    return this.#writing;
  }

  /** What is left after a full batch waits for company again, or for the end of its attempt. */
  async #writeBatches(): Promise<void> {
    do {
      const batch: Waiting[] = [];
      for (const [attempt, waiting] of this.#waiting) {
        if (batch.length === BATCH) break;
        this.#waiting.delete(attempt);
        batch.push(waiting);
      }
      if (batch.length === 0) return;
      await this.#writeBatch(batch).catch((error: unknown) => {
        this.#drop(batch.length, messageOf(error));
      });
      if (this.#overflow > 0) {
        const count = this.#overflow;
        this.#overflow = 0;
        this.#drop(count, `more than ${WAITING_LIMIT} waited for Redis`);
      }
    } while (this.#waiting.size >= (this.#closing ? 1 : ENOUGH));
  }

  async #writeBatch(batch: readonly Waiting[]): Promise<void> {
    const { keys, scripts } = this.#engine;
    const [failed, problem] = await scripts.call(
      "record",
      keys.history("tasks"),
      keys.history("task:"),
      Date.now(),
      PARTS_A_TASK,
      ...batch.flatMap(({ task, part }) => [task, JSON.stringify(part)]),
    );
    if (failed > 0) this.#drop(failed, problem);
  }

  #drop(count: number, reason: string): void {
    try {
      this.#settings.onDropped(count, reason);
    } catch {
      // A logger that throws must not hold up what waits behind.
    }
  }
}

function shortened({ code, message, fingerprint }: Failure): Failure {
  const cut = message.length > MESSAGE_LIMIT;
  return { code, message: cut ? `${message.slice(0, MESSAGE_LIMIT)}…` : message, fingerprint };
}
