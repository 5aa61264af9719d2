/** What is already known of tasks: Redis first, then, for tasks it does not know, their outputs. */
import type { Project } from "../core/config.ts";
import { PermanentError } from "../core/errors.ts";
import type { Seen, TaskState } from "../core/plan.ts";
import type { Stores } from "../core/stores.ts";
import { missingOutputs } from "../core/target.ts";
import { requirementsOf, type Task } from "../core/task.ts";
import { chunk } from "./chunk.ts";
import { concurrently } from "./concurrently.ts";
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
  // Completed by BullMQ, but its record was withdrawn: like a failed one, it gets fresh attempts.
  ["c", "failed"],
]);

export interface LookOptions {
  readonly signal: AbortSignal;
  /** Records prove nothing where outputs could: those are asked for, too. */
  readonly verify?: boolean;
}

/** What is known of tasks, by their records or else by their outputs. */
export async function look(
  place: Workplace,
  tasks: readonly Task[],
  { signal, verify = false }: LookOptions,
): Promise<readonly Seen[]> {
  const known = await lookInRedis(place, tasks);
  const seen = tasks.map((task, i) => ({ task, ...(known[i] ?? ABSENT) }));
  const unproven = seen.filter(
    ({ state, stale }) =>
      !stale && (state === "absent" || state === "failed" || (verify && state === "complete")),
  );
  const existing = await lookAtOutputs(
    place.stores,
    unproven.map(({ task }) => task),
    signal,
  );
  const judged = seen.map(({ task, state, ...rest }): Seen => {
    if (existing.has(task)) return { ...rest, withdrawn: false, state: "complete" };
    const isGone = verify && state === "complete" && task.outputs !== undefined;
    return { ...rest, state: isGone ? "absent" : state };
  });
  return verify ? withYielded(place, tasks, judged) : judged;
}

const ABSENT: Known = { state: "absent", stale: false };

/** Tasks that complete tasks had yielded, which BullMQ remembers as long as it keeps their jobs. */
export async function withYielded(
  { engine, project }: Pick<Workplace, "engine" | "project">,
  tasks: readonly Task[],
  seen: readonly Seen[],
): Promise<readonly Seen[]> {
  return Promise.all(
    seen.map(async (each, index) => {
      const task = tasks[index];
      if (each.state !== "complete" || task?.family.kind !== "task") return each;
      const processed = await engine.redis.hkeys(
        `${engine.keys.job(task.family.queue, task.id)}:processed`,
      );
      const required = new Set(
        requirementsOf(task).map(({ id, family }) => engine.keys.job(family.queue, id)),
      );
      const jobKeys = processed.filter((jobKey) => !required.has(jobKey));
      const found = await tasksOfJobs(engine, project, jobKeys);
      return { ...each, yielded: found.filter((yielded) => yielded !== undefined) };
    }),
  );
}

/** What Redis knows of a task. */
export interface Known extends Seen {
  /** Outputs of a former generation may still be there: they prove nothing. */
  readonly stale: boolean;
}

/** What Redis knows of tasks, in their order. Throws when two tasks share an id. */
export async function lookInRedis(
  { engine, project }: Pick<Workplace, "engine" | "project">,
  tasks: readonly Task[],
): Promise<readonly Known[]> {
  const seen: Known[] = [];
  for (const part of chunk(tasks, TASKS_PER_LOOK)) {
    const args = part.flatMap((task) => [engine.keys.queue(task.family.queue), task.id, task.name]);
    const codes = await engine.scripts.call("state", engine.keys.own, engine.keys.own, ...args);
    for (const [index, task] of part.entries()) {
      const [, code = "", generation = "", stale = ""] =
        /^(.)(\d*)(\*?)$/.exec(codes[index] ?? "") ?? [];
      const state = STATES.get(code);
      if (state === undefined) throw collision(task);
      seen.push({
        state,
        generation: Number(generation),
        withdrawn: code === "c",
        recorded: code === "d",
        stale: stale !== "",
        ...(code === "w" && { yielded: await yieldedBy(engine, project, task) }),
      });
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
  const provable = tasks.filter((task) => task.outputs !== undefined);
  await concurrently(CONCURRENT_CHECKS, provable, async (task) => {
    const missing = await missingOutputs({ task, stores, signal });
    if (missing.length === 0) existing.add(task);
  });
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
