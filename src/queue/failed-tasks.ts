/** The tasks that failed for good, with what an operator needs to decide what to do first. */
import type { Job } from "bullmq";
import { chunk } from "./chunk.ts";
import type { Engine } from "./engine.ts";
import { taskOfJob } from "./job.ts";
import type { Task } from "../core/task.ts";
import type { Workplace } from "./runtime.ts";
import { type TickRetries, tickRetries } from "./tick-retries.ts";

export interface FailedTask {
  readonly id: string;
  readonly name: string;
  /** Undefined when this project cannot build it: another version enqueued it. */
  readonly task: Task | undefined;
  readonly error: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Since it was enqueued or last retried. */
  readonly attempts: number;
  /** Tasks that wait for it, directly or not. */
  readonly blocked: number;
  /** What the scheduler still does about it. */
  readonly ticks: TickRetries;
}

const JOBS_A_PAGE = 500;

/** Those that hold up most come first. `only`: no others than these ids. */
export async function failedTasks(
  { engine, project }: Pick<Workplace, "engine" | "project">,
  only?: ReadonlySet<string>,
): Promise<FailedTask[]> {
  const jobs: Job[] = [];
  for (const name of project.queues) {
    const queue = engine.queue(name);
    for (let start = 0; ; start += JOBS_A_PAGE) {
      const page = await queue.getFailed(start, start + JOBS_A_PAGE - 1);
      jobs.push(...page.filter(({ id }) => only?.has(id ?? "") ?? true));
      if (page.length < JOBS_A_PAGE) break;
    }
  }
  const ids = jobs.map(({ id }) => id ?? "");
  const waiters = await waitersAbove(engine, ids);
  const ticks = await tickRetries({ engine, project }, ids);
  return jobs
    .map(
      (job, index): FailedTask => ({
        id: job.id ?? "",
        name: job.name,
        task: taskOf(project, job),
        error: job.failedReason || "no error message was recorded",
        at: job.finishedOn ?? job.timestamp,
        attempts: job.attemptsMade,
        blocked: reach(waiters, job.id ?? ""),
        ticks: ticks[index] ?? { kind: "none" },
      }),
    )
    .sort((a, b) => b.blocked - a.blocked || a.at - b.at);
}

function taskOf(project: Workplace["project"], job: Job): Task | undefined {
  try {
    return taskOfJob(project, job.id ?? "", job.data).task;
  } catch {
    return undefined;
  }
}

/** Who waits for whom, from these tasks upwards; each set is read once. */
async function waitersAbove(
  { redis, keys }: Engine,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const waiters = new Map<string, readonly string[]>();
  let level = [...ids];
  while (level.length > 0) {
    const next = new Set<string>();
    for (const part of chunk(level, JOBS_A_PAGE)) {
      const sets = await Promise.all(part.map((id) => redis.zrange(keys.waiters(id), "0", "-1")));
      for (const [index, id] of part.entries()) {
        const above = (sets[index] ?? []).map((key) => key.slice(key.lastIndexOf(":") + 1));
        waiters.set(id, above);
        for (const each of above) next.add(each);
      }
    }
    level = [...next].filter((id) => !waiters.has(id));
  }
  return waiters;
}

function reach(waiters: ReadonlyMap<string, readonly string[]>, id: string): number {
  const reached = new Set([id]);
  // Grows while it is walked.
  for (const each of reached) for (const above of waiters.get(each) ?? []) reached.add(above);
  return reached.size - 1;
}
