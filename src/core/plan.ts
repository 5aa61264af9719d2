/**
 * Planning: expands a root task into the graph of what must run, and says why the rest need not.
 * Pure: what is already known of tasks comes through `Look`, so a plan is tested without a socket.
 * Iterative throughout: a chain of 10,000 tasks must not overflow the stack.
 */
import { setImmediate as turn } from "node:timers/promises";
import { PermanentError, UsageError } from "./errors.ts";
import { requirementsOf, type Task } from "./task.ts";

/**
 * complete   nothing to do, and nothing below it is looked at
 * absent     no job: must be added
 * blocked    its job waits for requirements
 * queued     its job waits for a worker
 * delayed    its job waits for a point in time: a retry, or the next look at an external
 * running    a worker has its job
 * failed     its job failed for good
 */
export type TaskState =
  | "complete"
  | "absent"
  | "blocked"
  | "queued"
  | "delayed"
  | "running"
  | "failed";

export interface PlannedTask {
  readonly task: Task;
  readonly state: TaskState;
  /** Direct requirements, each once, those of `requires` first. Empty below a complete task. */
  readonly requirements: readonly Task[];
  /** How often the task was invalidated. */
  readonly generation: number;
  /** Its job is there because it completed once: it did not fail. */
  readonly withdrawn: boolean;
  /** Its completion is recorded; a complete task without a record was found by its outputs. */
  readonly recorded: boolean;
}

export interface Plan {
  readonly root: Task;
  /** By task id, in breadth-first order from the root. */
  readonly tasks: ReadonlyMap<string, PlannedTask>;
}

/** What is known of a task. */
export interface Seen {
  readonly state: TaskState;
  /** Tasks that its `run` asked for with `yield*` and waits for. */
  readonly yielded?: readonly Task[];
  readonly generation?: number;
  readonly withdrawn?: boolean;
  readonly recorded?: boolean;
}

export interface ExpandOptions {
  /**
   * Also below complete tasks. One without outputs is then only as complete as its requirements: a
   * wrapper must not hide what is missing below it.
   */
  readonly throughComplete?: boolean;
}

/** Answers for many tasks at once, in their order. */
export type Look = (tasks: readonly Task[]) => Promise<readonly Seen[]>;

/** More than this is a `requires` without an end, not a pipeline. */
const MOST_TASKS = 1_000_000;

const TASKS_A_LOOK = 1000;
/** Milliseconds after which the process may do other things: leases are renewed while we plan. */
const LONGEST_TURN = 20;

/**
 * Breadth first from the root, not below complete tasks. A wrapper whose requirements are all
 * complete is complete. Throws `CycleError` with the path when tasks depend on each other in a
 * circle, before anything was enqueued.
 */
export async function makePlan(root: Task, look: Look, options?: ExpandOptions): Promise<Plan> {
  return { root, tasks: await expand([root], look, options) };
}

/** Like `makePlan`, from several roots into one graph. */
export async function expand(
  roots: readonly Task[],
  look: Look,
  { throughComplete = false }: ExpandOptions = {},
): Promise<Plan["tasks"]> {
  const tasks = new Map<string, PlannedTask>();
  const found = new Map(roots.map((root) => [root.id, root]));
  let level = [...found.values()];
  let began = performance.now();
  while (level.length > 0) {
    const next: Task[] = [];
    for (let start = 0; start < level.length; start += TASKS_A_LOOK) {
      const part = level.slice(start, start + TASKS_A_LOOK);
      const seen = await look(part);
      for (const [index, task] of part.entries()) {
        if (performance.now() - began > LONGEST_TURN) {
          await turn();
          began = performance.now();
        }
        const known: Seen = seen[index] ?? { state: "absent" };
        const { state, yielded = [] } = known;
        const { generation = 0, withdrawn = false, recorded = false } = known;
        const ends = state === "complete" && !throughComplete;
        const requirements = ends ? [] : directRequirements(task, yielded);
        const planned = { task, state, requirements, generation, withdrawn, recorded };
        tasks.set(task.id, planned);
        for (const requirement of requirements) {
          if (found.has(requirement.id)) continue;
          found.set(requirement.id, requirement);
          next.push(requirement);
        }
      }
    }
    if (found.size > MOST_TASKS) {
      const names = roots.map(({ name }) => name).join(", ");
      throw new PermanentError(
        "GRAPH_TOO_LARGE",
        `${names} expands to more than ${MOST_TASKS} tasks: does the requires() of ${next[0]?.name ?? names} ever end?`,
        { fields: { tasks: roots.map(({ id }) => id) } },
      );
    }
    level = next;
  }
  for (const planned of inDependencyOrder(tasks)) judgeByRequirements(tasks, planned);
  return tasks;
}

/** One for all: most tasks of a large graph have none. */
const NONE: readonly Task[] = [];

function directRequirements(task: Task, yielded: readonly Task[]): readonly Task[] {
  const required = requirementsOf(task);
  if (yielded.length === 0) return required.length === 0 ? NONE : required;
  const requirements = new Map(required.map((each) => [each.id, each]));
  for (const each of yielded) if (!requirements.has(each.id)) requirements.set(each.id, each);
  return [...requirements.values()];
}

/** What is without outputs is complete when its requirements are, and not when they are not. */
function judgeByRequirements(tasks: Map<string, PlannedTask>, planned: PlannedTask): void {
  const { task, state, requirements } = planned;
  if (state !== "complete" && (state !== "absent" || task.family.kind !== "wrapper")) return;
  const complete = requirements.every(({ id }) => tasks.get(id)?.state === "complete");
  if (complete === (state === "complete") || (!complete && task.outputs !== undefined)) return;
  tasks.set(task.id, { ...planned, state: complete ? "complete" : "absent" });
}

/** Requirements before the tasks that require them (Kahn). Throws when there is a circle. */
export function inDependencyOrder(tasks: ReadonlyMap<string, PlannedTask>): PlannedTask[] {
  const open = new Map<string, number>();
  const dependents = new Map<string, PlannedTask[]>();
  const ready: PlannedTask[] = [];
  for (const planned of tasks.values()) {
    open.set(planned.task.id, planned.requirements.length);
    if (planned.requirements.length === 0) ready.push(planned);
    for (const { id } of planned.requirements) {
      const known = dependents.get(id);
      if (known === undefined) dependents.set(id, [planned]);
      else known.push(planned);
    }
  }
  // `ready` grows while it is walked.
  for (const planned of ready) {
    for (const dependent of dependents.get(planned.task.id) ?? []) {
      const left = (open.get(dependent.task.id) ?? 0) - 1;
      open.set(dependent.task.id, left);
      if (left === 0) ready.push(dependent);
    }
  }
  if (ready.length < tasks.size) {
    throw new CycleError(findCycle(tasks, open).map(({ name }) => name));
  }
  return ready;
}

/** Every task that Kahn left over requires another one that was left over: following them circles. */
function findCycle(
  tasks: ReadonlyMap<string, PlannedTask>,
  open: ReadonlyMap<string, number>,
): Task[] {
  const stuck = (id: string) => (open.get(id) ?? 0) > 0;
  const path: Task[] = [];
  const position = new Map<string, number>();
  let at = [...tasks.values()].find(({ task }) => stuck(task.id));
  while (at !== undefined && !position.has(at.task.id)) {
    position.set(at.task.id, path.length);
    path.push(at.task);
    const next = at.requirements.find(({ id }) => stuck(id));
    at = next === undefined ? undefined : tasks.get(next.id);
  }
  if (at === undefined) return path;
  return [...path.slice(position.get(at.task.id)), at.task];
}

/** Tasks that wait for each other. The message shows the path. */
export class CycleError extends UsageError {
  constructor(names: readonly string[]) {
    const shown = names.length > 12 ? [...names.slice(0, 6), "…", ...names.slice(-5)] : names;
    super("CYCLE", `Tasks depend on each other in a circle: ${shown.join(" -> ")}`, {
      fields: { path: names },
    });
  }
}
