/**
 * Progress and log lines of an attempt, on their way to the job in Redis. At most one progress update
 * a second; what Redis does not take is dropped, because reporting must never fail a task.
 */
import type { Job } from "bullmq";
import type { Progress } from "../core/run.ts";
import { maskSecrets } from "../core/secret.ts";

const PAUSE = 1000;

export class ProgressReporter {
  readonly #job: Job;
  #latest: Progress | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Keeps log lines in order. */
  #sent: Promise<unknown> = Promise.resolve();

  constructor(job: Job) {
    this.#job = job;
  }

  report(progress: Progress): void {
    this.#latest = progress;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#sendLatest();
    }, PAUSE).unref();
  }

  log(line: string): void {
    this.#send(() => this.#job.log(maskSecrets(line)));
  }

  /** Sends what is left. Never throws. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#sendLatest();
    await this.#sent;
  }

  #sendLatest(): void {
    const progress = this.#latest;
    this.#latest = undefined;
    if (progress !== undefined) this.#send(() => this.#job.updateProgress({ ...progress }));
  }

  #send(action: () => Promise<unknown>): void {
    this.#sent = this.#sent.then(action).catch(() => {});
  }
}
