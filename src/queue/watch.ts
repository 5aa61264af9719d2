/** Follows a root until it is complete or nothing of it can go on by itself. Writes nothing. */
import { setTimeout as delay } from "node:timers/promises";
import { expand, type Plan, type TaskState } from "../core/plan.ts";
import type { Task } from "../core/task.ts";
import { lookInRedis, tasksOfJobs } from "./look.ts";
import type { Workplace } from "./runtime.ts";

/** Milliseconds that a task which could go on may be in nobody's hands. */
const LONGEST_STUCK = 3_000;

export interface WatchedTask {
  readonly task: Task;
  /** What the first look found. */
  readonly before: TaskState;
  readonly state: TaskState;
  readonly requirements: readonly Task[];
}

/** Every task of the root that was ever seen, by id. */
export type Watched = ReadonlyMap<string, WatchedTask>;

export interface WatchOptions {
  readonly signal: AbortSignal;
  /** Milliseconds between two looks; a large graph is looked at less often. */
  readonly interval: number;
}

/**
 * Yields after every look, the last time when the root is settled: complete, or everything that is
 * left failed, waits for what failed or for an external task, or was taken out of the queue.
 */
export async function* watch(
  place: Workplace,
  plan: Plan,
  options: WatchOptions,
): AsyncGenerator<Watched, void, undefined> {
  const watched = new Map<string, WatchedTask>();
  for (const { task, state, withdrawn, requirements } of plan.tasks.values()) {
    watched.set(task.id, { task, before: withdrawn ? "absent" : state, state, requirements });
  }
  const roots = [plan.root, ...openBelowComplete(plan)];
  const since = Date.now();
  let stuckSince: number | undefined;
  let before: Standing = "working";
  for (;;) {
    const started = performance.now();
    update(watched, await expand(roots, (tasks) => lookInRedis(place, tasks)));
    const state = standing(watched);
    stuckSince = state === "stuck" ? (stuckSince ?? started) : undefined;
    // Seen twice: a task is looked at before what it waits for. That may fail between, and release it.
    const settled =
      state === "complete" ||
      (state === "settled" && before === "settled") ||
      (stuckSince !== undefined && started - stuckSince > LONGEST_STUCK);
    before = state;
    if (settled) await addYielded(place, watched, since);
    yield watched;
    if (settled) return;
    const took = performance.now() - started;
    await delay(Math.max(options.interval, 4 * took), undefined, { signal: options.signal });
  }
}

/** What is to be done, and required by complete tasks only: a verified plan has such tasks. */
function openBelowComplete({ root, tasks }: Plan): Task[] {
  const reached = new Set([root.id]);
  for (const { state, requirements } of tasks.values()) {
    if (state !== "complete") for (const { id } of requirements) reached.add(id);
  }
  return [...tasks.values()]
    .filter(({ task, state }) => state !== "complete" && !reached.has(task.id))
    .map(({ task }) => task);
}

/** What a later plan no longer reaches is complete: a plan does not descend below complete tasks. */
function update(watched: Map<string, WatchedTask>, now: Plan["tasks"]): void {
  for (const [id, known] of watched) {
    if (!now.has(id)) watched.set(id, { ...known, state: "complete" });
  }
  for (const { task, state, requirements } of now.values()) {
    const known = watched.get(task.id);
    watched.set(task.id, {
      task,
      before: known?.before ?? "absent",
      state,
      requirements: requirements.length > 0 ? requirements : (known?.requirements ?? []),
    });
  }
}

/** Tasks that a `run` yielded and that completed between two looks: BullMQ remembers them. */
async function addYielded(
  { engine, project }: Workplace,
  watched: Map<string, WatchedTask>,
  since: number,
): Promise<void> {
  const ran = [...watched.values()].filter(
    ({ before, state }) => before !== "complete" && state === "complete",
  );
  // Grows while it is walked: a task that was yielded may have yielded others.
  for (const { task } of ran) {
    const processed = await engine.redis.hkeys(
      `${engine.keys.job(task.family.queue, task.id)}:processed`,
    );
    const unknown = processed.filter((key) => !watched.has(key.slice(key.lastIndexOf(":") + 1)));
    for (const found of await tasksOfJobs(engine, project, unknown)) {
      if (found === undefined) continue;
      const at = await engine.redis.hget(engine.keys.done(found.id), "at");
      const yielded: WatchedTask = {
        task: found,
        before: Number(at) < since ? "complete" : "absent",
        state: "complete",
        requirements: [],
      };
      watched.set(found.id, yielded);
      ran.push(yielded);
    }
  }
}

type Standing = "working" | "stuck" | "settled" | "complete";

/** Stuck: nothing is at work, and something that could go on is not in the queue. */
function standing(watched: Watched): Standing {
  for (const { task, state } of watched.values()) {
    const working = state === "queued" || state === "running" || state === "delayed";
    if (working && task.family.kind !== "external") return "working";
  }
  let complete = true;
  for (const { state, requirements } of watched.values()) {
    if (state !== "complete") complete = false;
    if (state !== "blocked" && state !== "absent") continue;
    // Just released, or about to be inserted by someone else; else an operator removed its job.
    if (requirements.every(({ id }) => watched.get(id)?.state === "complete")) return "stuck";
  }
  return complete ? "complete" : "settled";
}
