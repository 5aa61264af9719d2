/**
 * The scheduler: BullMQ job schedulers enqueue yesterday's root at its time of day, and a tick expands
 * it again until it is complete. The date comes from the nominal instant of the tick, never from the
 * clock, so a late tick asks for the right day. Any number of schedulers may run.
 */
import { type Job, type Queue, type RepeatOptions, Worker } from "bullmq";
import { dayBefore, lastDue, type Schedule } from "../core/schedule.ts";
import type { Task } from "../core/task.ts";
import type { LookOptions } from "./look.ts";
import type { Workplace } from "./runtime.ts";
import { submit, type Submitted } from "./submit.ts";
import { submitStranded } from "./submit-stranded.ts";

/** The queue of the ticks; no worker of tasks listens to it. */
export const SCHEDULE_QUEUE = "schedule";

export interface SchedulerSettings {
  readonly onTick: (schedule: Schedule, plan: Submitted) => void;
  readonly onError: (error: Error) => void;
}

export interface RunningScheduler {
  stop(): Promise<void>;
}

export async function startScheduler(
  place: Workplace,
  settings: SchedulerSettings,
): Promise<RunningScheduler> {
  const { engine, project } = place;
  await engine.claim();
  const queue = engine.queue(SCHEDULE_QUEUE);
  await defineTicks(queue, project.schedules);
  const stopping = new AbortController();
  const worker = new Worker(
    SCHEDULE_QUEUE,
    async (job) => {
      const schedule = project.schedules.find(({ id }) => id === job.name);
      // A schedule that was taken out of the code while its tick was waiting.
      if (schedule === undefined) return;
      const date = dayBefore(lastDue(schedule, nominalInstant(job)), schedule.timezone);
      const root = schedule.rootFor(date);
      const { retryFailed } = schedule;
      const { signal } = stopping;
      settings.onTick(schedule, await tick(place, root, { signal, retryFailed }));
    },
    { connection: engine.redis, prefix: engine.keys.prefix },
  );
  worker.on("error", settings.onError);
  worker.on("failed", (_job, error) => {
    // A tick that was cut off by the stop: the next one does its work.
    if (!stopping.signal.aborted) settings.onError(error);
  });
  await worker.waitUntilReady();
  return {
    async stop() {
      stopping.abort();
      await worker.close();
    },
  };
}

/** Asks for a root, and for what nobody asks for any more although it waits. */
export async function tick(
  place: Workplace,
  root: Task,
  options: LookOptions & Pick<Schedule, "retryFailed">,
): Promise<Submitted> {
  const plan = await submit(place, root, options);
  await submitStranded(place, options, plan.tasks);
  return plan;
}

/** Two schedulers a schedule: its own times, and the tick in between. Old ones are removed. */
async function defineTicks(queue: Queue, schedules: readonly Schedule[]): Promise<void> {
  const wanted = new Map<string, { name: string; repeat: RepeatOptions }>();
  for (const { id, pattern, timezone, again } of schedules) {
    wanted.set(`at-${id}`, { name: id, repeat: { pattern, tz: timezone } });
    wanted.set(`again-${id}`, { name: id, repeat: { every: again } });
  }
  for (const { key } of await queue.getJobSchedulers()) {
    if (!wanted.has(key)) await queue.removeJobScheduler(key);
  }
  for (const [key, { name, repeat }] of wanted) {
    const known = await queue.getJobScheduler(key);
    // An upsert deletes a run that is overdue: only when the definition changed.
    const same =
      known?.name === name &&
      known.pattern === repeat.pattern &&
      (known.tz ?? undefined) === repeat.tz &&
      known.every === repeat.every;
    if (same) continue;
    const opts = { removeOnComplete: { count: 1000 }, removeOnFail: { count: 1000 } };
    await queue.upsertJobScheduler(key, repeat, { name, opts });
  }
}

/** When the tick was due. "Run now" of Bull Board has no due time: then, when it was asked for. */
function nominalInstant(job: Job): number {
  return job.opts.prevMillis ?? job.timestamp;
}
