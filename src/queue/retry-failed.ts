/**
 * Gives failed jobs fresh attempts: at once when a person asks, and by a rule when a tick of the
 * scheduler does. Plans nothing: it takes the tasks that a plan found to have failed.
 */
import { type FinishedStatus, Job } from "bullmq";
import type { Plan } from "../core/plan.ts";
import type { RetryRule } from "../core/schedule.ts";
import type { Task } from "../core/task.ts";
import type { Engine } from "./engine.ts";

/**
 * Jobs that ended in one of these ways get fresh attempts, once: of two submitters one wins, the other
 * changes nothing. A job that BullMQ completed and that has no record (an operator removed it) never
 * failed, and always has to run again. Without a rule a person asks. Returns what this call retried.
 */
export async function retryFailed(
  engine: Engine,
  tasks: Plan["tasks"],
  endings: readonly FinishedStatus[],
  rule?: RetryRule,
): Promise<readonly Task[]> {
  const retried: Task[] = [];
  for (const { task, state } of tasks.values()) {
    if (state !== "failed") continue;
    const job = await Job.fromId(engine.queue(task.family.queue), task.id);
    // Not by its failedReason: that of an earlier attempt stays with a job that completed.
    const ending = (await job?.isCompleted()) === true ? "completed" : "failed";
    if (job === undefined || !endings.includes(ending)) continue;
    // Counted before the retry: afterwards the task may be complete, and nothing is kept of it.
    if (ending === "failed" && !(await countRetry(engine, task, job, rule))) continue;
    try {
      await job.retry(ending, { resetAttemptsMade: true, resetAttemptsStarted: true });
      retried.push(task);
    } catch (error) {
      if (!someoneElseRetried(error)) throw error;
    }
  }
  return retried;
}

/** Whether the rule allows this retry, which is then counted. A person's starts the count anew. */
async function countRetry(
  { redis, keys }: Engine,
  { id }: Task,
  job: Job,
  rule: RetryRule | undefined,
): Promise<boolean> {
  const key = keys.attempt(id);
  if (rule === undefined) {
    await redis.hdel(key, "ticks", "failure", "held", "cancel");
    return true;
  }
  if (Date.now() - (job.finishedOn ?? 0) < rule.after) return false;
  const [ticks, held] = await redis.hmget(key, "ticks", "held");
  // Held: somebody cancelled it.
  if (held !== null || Number(ticks) >= rule.times) return false;
  await redis.hincrby(key, "ticks", 1);
  await redis.hdel(key, "failure");
  return true;
}

/** BullMQ's codes for "no such job" (-1) and "not in that state" (-3). */
function someoneElseRetried(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === -1 || error.code === -3);
}
