/** What is already known of tasks: Redis first, then, for tasks it does not know, their outputs. */
import type { Project } from "../core/config.ts";
import { PermanentError } from "../core/errors.ts";
import type { Seen, TaskState } from "../core/plan.ts";
import type { Stores } from "../core/stores.ts";
import { missingOutputs } from "../core/target.ts";
import type { Task } from "../core/task.ts";
import { chunk } from "./chunk.ts";
import type { Engine } from "./engine.ts";
import { taskOfJob } from "./job.ts";
import type { Workplace } from "./runtime.ts";

/** Tasks a call of the script: 1000 take about 3 ms. */
const TASKS_PER_LOOK = 1000;
/** Outputs that are asked for at the same time. */
const CONCURRENT_CHECKS = 16;

const STATES: ReadonlyMap<string, TaskState> = new Map([
  ["d", "complete"],
  ["a", "absent"],
  ["b", "blocked"],
  ["w", "blocked"],
  ["q", "queued"],
  ["y", "delayed"],
  ["r", "running"],
  ["f", "failed"],
  // Completed by BullMQ, but its record is gone (an operator removed it): it has to run again.
  ["c", "failed"],
]);

/** What Redis knows of tasks, in their order. Throws when two tasks share an id. */
export async function lookInRedis(
  { engine, project }: Pick<Workplace, "engine" | "project">,
  tasks: readonly Task[],
): Promise<readonly Seen[]> {
  const seen: Seen[] = [];
  for (const part of chunk(tasks, TASKS_PER_LOOK)) {
    const args = part.flatMap((task) => [engine.keys.queue(task.family.queue), task.id, task.name]);
    const codes = await engine.scripts.call("state", engine.keys.own, engine.keys.own, ...args);
    for (const [index, task] of part.entries()) {
      const code = codes[index] ?? "";
      const state = STATES.get(code);
      if (state === undefined) throw collision(task);
      seen.push(
        code === "w" ? { state, yielded: await yieldedBy(engine, project, task) } : { state },
      );
    }
  }
  return seen;
}

/** The tasks that a blocked job waits for, read from BullMQ's dependency set. */
async function yieldedBy(engine: Engine, project: Project, task: Task): Promise<Task[]> {
  const jobKeys = await engine.redis.smembers(
    `${engine.keys.job(task.family.queue, task.id)}:dependencies`,
  );
  const found = await tasksOfJobs(engine, project, jobKeys);
  return found.filter((each) => each !== undefined);
}

/** The tasks of jobs, in their order; undefined where the job is gone. */
export async function tasksOfJobs(
  engine: Engine,
  project: Project,
  jobKeys: readonly string[],
): Promise<(Task | undefined)[]> {
  const found: (Task | undefined)[] = [];
  for (const part of chunk(jobKeys, TASKS_PER_LOOK)) {
    const data = await Promise.all(part.map((jobKey) => engine.redis.hget(jobKey, "data")));
    for (const [index, jobKey] of part.entries()) {
      const text = data[index] ?? null;
      const id = jobKey.slice(jobKey.lastIndexOf(":") + 1);
      found.push(text === null ? undefined : taskOfJob(project, id, JSON.parse(text)).task);
    }
  }
  return found;
}

/** Which of the tasks have outputs, and all of them exist. */
export async function lookAtOutputs(
  stores: Stores,
  tasks: readonly Task[],
  signal: AbortSignal,
): Promise<ReadonlySet<Task>> {
  const existing = new Set<Task>();
  const pending = tasks.filter((task) => task.outputs !== undefined).values();
  const check = async () => {
    for (const task of pending) {
      const missing = await missingOutputs({ task, stores, signal });
      if (missing.length === 0) existing.add(task);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_CHECKS }, check));
  return existing;
}

/** Luigi's hash has 40 bits: two tasks with one id are an error, never "complete". */
function collision(task: Task): PermanentError {
  return new PermanentError(
    "TASK_ID_COLLISION",
    `${task.name} has the same task id as another task (${task.id}): change a parameter's name or value, or invalidate the other task`,
    { fields: { task: task.id } },
  );
}
