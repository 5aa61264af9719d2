/**
 * What a plan means for a person: what would run, in which order and on which queue, and why the
 * rest would not. A task that waits for an external that is missing names it, through any number of
 * tasks between them.
 */
import { inDependencyOrder, type Plan, type TaskState } from "../core/plan.ts";
import type { Task } from "../core/task.ts";
import { familyLines } from "./family-lines.ts";

/**
 * complete   nothing to do
 * running    a worker has it now
 * external   made elsewhere, and missing
 * blocked    needs, directly or not, an external that is missing
 */
type Hindrance = "complete" | "running" | "external" | "blocked";

interface Runnable {
  readonly task: Task;
  /** What is already under way; undefined for a task that would be added. */
  readonly note: string | undefined;
}

interface Hindered {
  readonly task: Task;
  readonly why: Hindrance;
  /** The missing externals; empty unless blocked. */
  readonly by: readonly Task[];
}

interface Explanation {
  readonly root: Task;
  readonly run: readonly Runnable[];
  readonly rest: readonly Hindered[];
}

function explain(plan: Plan): Explanation {
  const missing = new Map<string, ReadonlySet<Task>>();
  const run: Runnable[] = [];
  const rest: Hindered[] = [];
  for (const { task, state, withdrawn, requirements } of inDependencyOrder(plan.tasks)) {
    const isMissing = task.family.kind === "external" && state !== "complete";
    const by = isMissing ? new Set([task]) : union(requirements.map(({ id }) => missing.get(id)));
    missing.set(task.id, by);
    if (isMissing) rest.push({ task, why: "external", by: [] });
    else if (state === "complete" || state === "running") rest.push({ task, why: state, by: [] });
    else if (by.size > 0) rest.push({ task, why: "blocked", by: [...by] });
    else run.push({ task, note: withdrawn ? undefined : NOTES[state] });
  }
  return { root: plan.root, run, rest };
}

/** Shares the set of a single source: a chain of 10,000 must not copy it 10,000 times. */
function union(sets: readonly (ReadonlySet<Task> | undefined)[]): ReadonlySet<Task> {
  const filled = new Set(sets.filter((set) => set !== undefined && set.size > 0));
  const [only, ...others] = filled;
  if (only === undefined) return NONE;
  return others.length === 0 ? only : new Set([...filled].flatMap((set) => [...(set ?? [])]));
}

const NONE: ReadonlySet<Task> = new Set();

/** What is already under way; the rest would be added. */
const NOTES: Readonly<Partial<Record<TaskState, string>>> = {
  failed: "failed before, would be retried",
  queued: "already queued",
  delayed: "already queued, waits for its next attempt",
  blocked: "already queued, waits for its requirements",
};

const HEADINGS: readonly (readonly [Hindrance, string])[] = [
  ["complete", "complete already"],
  ["running", "running now"],
  ["external", "external and missing: made elsewhere, waited for"],
  ["blocked", "blocked by what is missing"],
];

/** The text of `sluice plan`, line by line. */
export function explainPlan(plan: Plan): string[] {
  const { root, run, rest } = explain(plan);
  return [
    `${root.name}: ${tasksText(plan.tasks.size)}, ${run.length} would run, ${rest.length} would not`,
    ...runLines(run),
    ...HEADINGS.flatMap(([why, heading]) => {
      const tasks = rest.filter((each) => each.why === why);
      if (tasks.length === 0) return [];
      return ["", `${heading} (${tasks.length}):`, ...restLines(why, tasks)];
    }),
  ];
}

function runLines(run: readonly Runnable[]): string[] {
  if (run.length === 0) return [];
  const numbers = String(run.length).length;
  const queues = run.reduce((width, { task }) => Math.max(width, task.family.queue.length), 0);
  const lines = run.map(({ task, note }, index) => {
    const number = String(index + 1).padStart(numbers + 2);
    const queue = task.family.queue.padEnd(queues);
    return `${number}  ${queue}  ${task.name}${note === undefined ? "" : ` (${note})`}`;
  });
  return ["", "would run, requirements first (number, queue, task):", ...lines];
}

function restLines(why: Hindrance, tasks: readonly Hindered[]): string[] {
  if (why === "complete") {
    const complete = tasks.map(({ task }) => task);
    return familyLines(complete, Number.POSITIVE_INFINITY).map((line) => `  ${line}`);
  }
  return tasks.map(({ task, by }) => `  - ${task.name}${byText(by)}`);
}

function byText([first, ...others]: readonly Task[]): string {
  if (first === undefined) return "";
  return ` needs ${first.name}${others.length === 0 ? "" : ` and ${others.length} more`}`;
}

function tasksText(count: number): string {
  return count === 1 ? "1 task" : `${count} tasks`;
}

/** What `sluice plan --json` prints. Tasks in dependency order. */
export interface PlanJson {
  readonly root: string;
  readonly run: readonly {
    readonly id: string;
    readonly name: string;
    readonly queue: string;
    readonly note: string | null;
  }[];
  readonly rest: readonly {
    readonly id: string;
    readonly name: string;
    readonly why: Hindrance;
    /** The ids of the missing externals, for `blocked`. */
    readonly by: readonly string[];
  }[];
}

export function planJson(plan: Plan): PlanJson {
  const { root, run, rest } = explain(plan);
  return {
    root: root.id,
    run: run.map(({ task, note }) => ({
      id: task.id,
      name: task.name,
      queue: task.family.queue,
      note: note ?? null,
    })),
    rest: rest.map(({ task, why, by }) => ({
      id: task.id,
      name: task.name,
      why,
      by: by.map(({ id }) => id),
    })),
  };
}
