/**
 * What became of every task of a root, in the categories of Luigi's execution summary. Luigi leaves a
 * task that others still run or that waits for a worker to its scheduler; here such tasks have
 * categories of their own, because a `sluice run` can be interrupted while workers go on. Prints nothing.
 */
import type { Task } from "../core/task.ts";
import type { Watched, WatchedTask } from "../queue/watch.ts";

/**
 * Why a task is left. A task that waits for several things has several reasons.
 *
 * external      an external task whose output does not exist
 * running       a worker still has it
 * waiting       it could run: it waits for a worker or for its next attempt
 * afterFailed   something that it needs failed
 * afterMissing  something that it needs is an external that is missing
 * afterPending  something that it needs is still running or waiting
 */
export type PendingReason =
  | "external"
  | "running"
  | "waiting"
  | "afterFailed"
  | "afterMissing"
  | "afterPending";

export interface Outcomes {
  /** Complete before anything ran. */
  readonly complete: readonly Task[];
  readonly ran: readonly Task[];
  readonly failed: readonly Task[];
  /** Everything else, each task once. */
  readonly pending: readonly Task[];
  readonly reasons: Readonly<Record<PendingReason, readonly Task[]>>;
  /** Whether a task that had failed before ran this time. */
  readonly recovered: boolean;
}

/** Classifies every task that was seen, in the order in which tasks were seen. */
export function outcomes(watched: Watched): Outcomes {
  const all = [...watched.values()];
  const isComplete = ({ state }: WatchedTask) => state === "complete";
  const isFailed = ({ state }: WatchedTask) => state === "failed";
  const left = all.filter((each) => !isComplete(each) && !isFailed(each));

  const external = left.filter(({ task }) => task.family.kind === "external");
  const own = left.filter(({ task }) => task.family.kind !== "external");
  const running = own.filter(({ state }) => state === "running");
  const idle = own.filter(({ state }) => state !== "running");
  const free = idle.filter((each) => isFree(watched, each));
  const held = idle.filter((each) => !isFree(watched, each));

  const dependents = dependentsOf(held);
  const after = (causes: readonly WatchedTask[]) => {
    const reached = reachedFrom(causes, dependents);
    return tasksOf(held.filter(({ task }) => reached.has(task.id)));
  };
  return {
    complete: tasksOf(all.filter((each) => isComplete(each) && each.before === "complete")),
    ran: tasksOf(all.filter((each) => isComplete(each) && each.before !== "complete")),
    failed: tasksOf(all.filter(isFailed)),
    pending: tasksOf(left),
    reasons: {
      external: tasksOf(external),
      running: tasksOf(running),
      waiting: tasksOf(free),
      afterFailed: after(all.filter(isFailed)),
      afterMissing: after(external),
      afterPending: after([...running, ...free]),
    },
    recovered: all.some((each) => isComplete(each) && each.before === "failed"),
  };
}

/** Nothing that it needs is open: only a worker, or a point in time, is missing. */
function isFree(watched: Watched, { state, requirements }: WatchedTask): boolean {
  if (state === "queued" || state === "delayed") return true;
  return requirements.every(({ id }) => (watched.get(id)?.state ?? "complete") === "complete");
}

function dependentsOf(tasks: Iterable<WatchedTask>): ReadonlyMap<string, readonly string[]> {
  const dependents = new Map<string, string[]>();
  for (const { task, requirements } of tasks) {
    for (const { id } of requirements) {
      const known = dependents.get(id);
      if (known === undefined) dependents.set(id, [task.id]);
      else known.push(task.id);
    }
  }
  return dependents;
}

/** The ids of all that depends on one of the causes, directly or not. */
function reachedFrom(
  causes: readonly WatchedTask[],
  dependents: ReadonlyMap<string, readonly string[]>,
): ReadonlySet<string> {
  const reached = new Set<string>();
  const pending = causes.map(({ task }) => task.id);
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    for (const dependent of dependents.get(id) ?? []) {
      if (reached.has(dependent)) continue;
      reached.add(dependent);
      pending.push(dependent);
    }
  }
  return reached;
}

function tasksOf(watched: readonly WatchedTask[]): Task[] {
  return watched.map(({ task }) => task);
}
