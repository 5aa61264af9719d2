/**
 * Workers: takes jobs of some queues from BullMQ, has them executed, and tells BullMQ how they ended.
 * The only file that knows BullMQ's control-flow exceptions.
 */
import {
  type BackoffStrategy,
  DelayedError,
  type Job,
  type MinimalJob,
  UnrecoverableError,
  WaitingChildrenError,
  WaitingError,
  Worker,
  type WorkerOptions,
} from "bullmq";
import { checkQueueName } from "../core/check-declaration.ts";
import { isRetryable, messageOf, PermanentError } from "../core/errors.ts";
import { maskSecrets } from "../core/secret.ts";
import { listenForCancels } from "./cancel.ts";
import { JobCompletions } from "./complete-job.ts";
import { Engine } from "./engine.ts";
import { type Delivery, execute } from "./execute.ts";
import { CancelledBy, Interrupt, WorkerStopping } from "./interrupt.ts";
import type { Outcome } from "./outcome.ts";
import { callWaiting } from "./resources.ts";
import type { Runtime } from "./runtime.ts";
import { Turns } from "./turns.ts";

export interface WorkerSettings {
  readonly queues: readonly string[];
  /** Jobs at the same time, for each queue. */
  readonly concurrency: number;
  /** Milliseconds after which a job of a dead worker is handed out again, at the earliest. */
  readonly lockDuration: number;
  /** Milliseconds between two looks for jobs of dead workers. */
  readonly stalledInterval: number;
  /** What goes wrong outside any attempt: lost connections, locks that were lost. */
  readonly onError: (error: Error) => void;
}

export interface RunningWorker {
  readonly queues: readonly string[];
  /**
   * Takes no more jobs, lets those at work finish for `grace` milliseconds, and hands the rest back to
   * the queue without using an attempt. May hang while Redis is away: race it with a deadline.
   */
  stop(grace: number): Promise<void>;
}

export async function startWorker(
  runtime: Runtime,
  settings: WorkerSettings,
): Promise<RunningWorker> {
  for (const queue of settings.queues) checkQueueName(queue, "The worker's queues");
  await runtime.engine.claim();
  const running = new Running();
  const engines: Engine[] = [];
  const workers: Worker[] = [];
  let cancels: Awaited<ReturnType<typeof listenForCancels>>;
  try {
    // A connection for each queue: on a single one, Redis waits while all of its answers are worked on
    // here, and this process while Redis works on what follows from them.
    const turns = new Turns();
    const opened = await Promise.allSettled(
      settings.queues.map(() => Engine.open(runtime.engine.settings, turns)),
    );
    for (const each of opened) if (each.status === "fulfilled") engines.push(each.value);
    for (const each of opened) if (each.status === "rejected") throw each.reason;
    for (const [index, engine] of engines.entries()) {
      const queue = settings.queues[index] ?? "";
      workers.push(workOn({ ...runtime, engine }, queue, settings, running));
    }
    await Promise.all(workers.map((worker) => worker.waitUntilReady()));
    cancels = await listenForCancels(runtime.engine, (id, by) => running.cancel(id, by));
  } catch (error) {
    await Promise.allSettled(workers.map((worker) => worker.close(true)));
    await Promise.allSettled(engines.map((engine) => engine.close()));
    throw error;
  }
  // Only now: no job is taken by a worker that then fails to start, or does not hear a cancel.
  for (const worker of workers) worker.run().catch(settings.onError);
  return {
    queues: settings.queues,
    async stop(grace) {
      const handBack = setTimeout(() => running.stop(), grace);
      try {
        await Promise.all(workers.map((worker) => worker.close()));
      } finally {
        clearTimeout(handBack);
        cancels.close();
        await Promise.all(engines.map((engine) => engine.close()));
      }
    },
  };
}

function workOn(
  runtime: Runtime,
  queue: string,
  settings: WorkerSettings,
  running: Running,
): Worker {
  const { engine } = runtime;
  const backoffStrategy: BackoffStrategy = (attemptsMade, _type, _error, job) =>
    backoffOf(runtime, attemptsMade, job);
  const options = {
    autorun: false,
    connection: engine.redis,
    prefix: engine.keys.prefix,
    concurrency: settings.concurrency,
    lockDuration: settings.lockDuration,
    stalledInterval: settings.stalledInterval,
    // Crashes are counted by the lease: BullMQ's own counter is never reset.
    maxStalledCount: 1_000_000,
    metrics: { maxDataPoints: 7 * 24 * 60 },
    // Completed jobs are a convenience for Bull Board; completion has its own record. Failed ones stay.
    removeOnComplete: { age: 7 * 86_400, count: 100_000 },
    settings: { backoffStrategy },
  } satisfies WorkerOptions;
  const completions = new JobCompletions(options, () => !worker.closing && !worker.isPaused());
  const worker: Worker = new Worker(
    queue,
    processor(runtime, running, completions),
    options,
    completions.backend,
  );
  worker.on("error", settings.onError);
  return worker;
}

/** The deliveries at work. One job may be there twice: BullMQ hands it out again after a freeze. */
class Running {
  readonly #deliveries = new Set<Delivery>();
  #stopping = false;

  async execute(runtime: Runtime, delivery: Delivery): Promise<Outcome> {
    // It was on its way when the others were handed back.
    if (this.#stopping) return { kind: "returned" };
    this.#deliveries.add(delivery);
    try {
      return await execute(runtime, delivery);
    } finally {
      this.#deliveries.delete(delivery);
    }
  }

  cancel(id: string, by: string): void {
    for (const { job, interrupt } of this.#deliveries) {
      if (job.id === id) interrupt.abort(new CancelledBy(by));
    }
  }

  /** Hands back what is at work, and what is still to come. */
  stop(): void {
    this.#stopping = true;
    for (const { interrupt } of this.#deliveries) interrupt.abort(new WorkerStopping());
  }
}

/** Two parameters: for a third, BullMQ makes a signal for every job. */
function processor(runtime: Runtime, running: Running, completions: JobCompletions) {
  return async (job: Job, token: string | undefined): Promise<void> => {
    if (token === undefined) {
      throw new PermanentError("BULLMQ_UNPROVEN", "BullMQ handed out a job without its lock");
    }
    const interrupt = new Interrupt();
    const outcome = await running.execute(runtime, { job, token, interrupt, completions });
    switch (outcome.kind) {
      case "completed":
        return;
      case "blocked":
        if (await job.moveToWaitingChildren(token)) throw new WaitingChildrenError();
        // What it waits for completed just now.
        await handBack(runtime.engine, job, token);
        throw new WaitingError();
      case "deferred":
        await job.moveToDelayed(Date.now() + Math.max(outcome.milliseconds, 1), token);
        throw new DelayedError();
      case "waiting":
        await job.moveToDelayed(Date.now() + outcome.milliseconds, token);
        // Units that were given back before it was delayed called nobody.
        await callWaiting(runtime.engine, outcome.needs);
        throw new DelayedError();
      case "returned":
        await handBack(runtime.engine, job, token);
        throw new WaitingError();
      case "superseded":
        throw new Error("another attempt has taken over");
      case "failed":
        throw failureForBullmq(outcome.error);
    }
  };
}

/** To the head of its priority, with the marker that wakes idle workers: BullMQ forgets it there. */
async function handBack({ redis, keys }: Engine, job: Job, token: string): Promise<void> {
  await job.moveToWait(token);
  await redis.zadd(`${keys.queue(job.queueName)}:marker`, 0, "0");
}

/** What BullMQ keeps of an error, in clear text in Redis: no secrets, and always a message. */
function failureForBullmq(thrown: unknown): Error {
  const message = maskSecrets(messageOf(thrown)) || "failed without a message";
  const error = isRetryable(thrown) ? new Error(message) : new UnrecoverableError(message);
  if (thrown instanceof Error && thrown.stack !== undefined)
    error.stack = maskSecrets(thrown.stack);
  return error;
}

/** Exponential between the family's bounds, with half of it random: no thundering herd at 3 a.m. */
function backoffOf(runtime: Runtime, attemptsMade: number, job: MinimalJob | undefined): number {
  const family: unknown = job?.data?.family;
  const backoff =
    typeof family === "string" ? runtime.project.families.get(family)?.retry.backoff : undefined;
  const { first, last } = backoff ?? { first: 5_000, last: 300_000 };
  const full = Math.min(last, first * 2 ** (attemptsMade - 1));
  return Math.round(full / 2 + (Math.random() * full) / 2);
}
