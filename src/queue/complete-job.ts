/**
 * Completes a BullMQ job in the script that records its task: one step, so that nobody sees a task that is
 * recorded and whose job is still at work, and one trip for both. BullMQ comes to complete the job all the
 * same, and is given the answer that is there already. Without one it sends its own command.
 */
import {
  type BackendFactory,
  createRedisBackend,
  type Job,
  type RedisQueueBackend,
  type WorkerOptions,
} from "bullmq";
import type { Argument } from "./gathered.ts";

/** Options of BullMQ's worker that decide how a job is completed. */
export interface CompletionSettings extends WorkerOptions {
  readonly lockDuration: number;
  readonly removeOnComplete: { readonly age: number; readonly count: number };
  readonly metrics: { readonly maxDataPoints: number };
}

interface Ended {
  /** What Redis answered, as it does to BullMQ's `moveToFinished`. */
  readonly answer: unknown;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Of one worker of BullMQ. */
export class JobCompletions {
  readonly #settings: CompletionSettings;
  readonly #isTaking: () => boolean;
  readonly #ended = new WeakMap<object, Ended>();

  /** `isTaking`: whether the worker takes another job when one is completed. */
  constructor(settings: CompletionSettings, isTaking: () => boolean) {
    this.#settings = settings;
    this.#isTaking = isTaking;
  }

  /** The arguments of `complete.lua` that complete the job. */
  arguments(token: string): readonly Argument[] {
    const { lockDuration, removeOnComplete, metrics } = this.#settings;
    const { age, count } = removeOnComplete;
    return [token, this.#isTaking() ? 1 : 0, lockDuration, age, count, metrics.maxDataPoints];
  }

  /** What Redis answered to them, for a completion at the time `at`; null when it was not carried out. */
  answered(job: Job, answer: unknown, at: number): void {
    if (answer !== null) this.#ended.set(job, { answer, at });
  }

  /** For BullMQ's worker. */
  readonly backend: BackendFactory<RedisQueueBackend> = (...settings) => {
    const backend = createRedisBackend(...settings);
    const complete = backend.moveToCompleted.bind(backend);
    const send = backend.execCommand.bind(backend);
    const answers = new WeakMap<readonly unknown[], unknown>();
    backend.moveToCompleted = async (job, ...rest) => {
      const ended = this.#ended.get(job);
      if (ended === undefined) return complete(job, ...rest);
      // Once: asked again, Redis has to answer.
      this.#ended.delete(job);
      const command: string[] = [];
      answers.set(command, ended.answer);
      const result = await backend.moveToFinished(job.id ?? "", command);
      return { result, finishedOn: ended.at };
    };
    backend.execCommand = (client, name, args) =>
      answers.has(args) ? answers.get(args) : send(client, name, args);
    return backend;
  };
}
