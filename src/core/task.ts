/**
 * Glossary. Every file, log field, Redis key and page uses these words and no synonyms.
 *
 * family       a kind of task, for example `TableCopyToS3`
 * task         a family with parameter values; a frozen value, equal to another by id
 * parameter    typed, read from text and written as text; significant (in the id) or not
 * task id      `Family_v1_v2_v3_hash10`, byte for byte what Luigi computes
 * requirement  a task that must be complete before this one runs
 * target       something that exists or not: an S3 dataset, a marker row
 * output       the targets of a task; they prove that it is complete
 * answer       the small JSON value that `run` returns; kept with the completion
 * complete     recorded as done, or its outputs exist
 * plan         the graph of what must run for a root, and why the rest need not
 * root         the task that was asked for
 * job          a task in BullMQ; the job id is the task id
 * attempt      one execution of a task
 * generation   grows when a task is invalidated; what a former one wrote does not count
 * lease        the right of one attempt to commit; its epoch grows with every attempt
 * resource     something of which only so many units may be in use at once, wherever tasks run
 */
import { PermanentError } from "./errors.ts";
import type { ParamsDeclaration } from "./params/schema.ts";
import type { RunContext, RunResult, TaskContext } from "./run.ts";
import type { Outputs } from "./target.ts";

/**
 * A family with parameter values. Frozen, equal by `id`, and never thenable: awaiting a task by
 * mistake gives the task, not its answer. `yield* task` inside a generator `run` waits for it.
 */
export interface Task<Answer = unknown, O extends Outputs = Outputs> {
  readonly id: string;
  readonly family: FamilyDefinition;
  /** Decoded parameter values. */
  readonly params: Readonly<Record<string, unknown>>;
  /** Every parameter as text, in declaration order: what jobs, the CLI and pages carry. */
  readonly texts: Readonly<Record<string, string>>;
  /** `Family(a=1, b=x)` with the significant parameters: what people read. */
  readonly name: string;
  readonly outputs: O;
  [Symbol.iterator](): Generator<Task, Answer, unknown>;
}

/** Tasks in any nesting of arrays and objects; `input` mirrors the shape. */
export type Requirements =
  | Task
  | readonly Requirements[]
  | { readonly [name: string]: Requirements }
  | undefined;

/** What the engine knows of a family, with its parameter types erased. */
export interface FamilyDefinition {
  readonly name: string;
  readonly kind: "task" | "wrapper" | "external";
  readonly params: ParamsDeclaration;
  /** The queue that its jobs wait in. */
  readonly queue: string;
  /** Attempts and the pause between them, in milliseconds. */
  readonly retry: { readonly attempts: number; readonly backoff: Backoff };
  /** Milliseconds after which an attempt is ended; undefined: never. */
  readonly timeout: number | undefined;
  /** The higher runs first. */
  readonly priority: number;
  /** The units of named resources that an attempt takes. */
  readonly resources: readonly ResourceNeed[];
  /** The task with these parameters, from text. Throws a `UsageError` that names the parameter. */
  parse(texts: Readonly<Record<string, string>>): Task;
  /** What the family's `requires` says for one of its tasks. */
  requirementsOf(task: Task): Requirements;
  /** Absent for wrappers and externals. */
  readonly run: ((context: RunContext) => RunResult<unknown>) | undefined;
  readonly sql:
    | ((context: TaskContext) => readonly string[] | Promise<readonly string[]>)
    | undefined;
}

export interface ResourceNeed {
  readonly name: string;
  readonly units: number;
}

/** Exponential backoff between `first` and `last` milliseconds. */
export interface Backoff {
  readonly first: number;
  readonly last: number;
}

const TASK = Symbol.for("sluice.task");

/** Marks a task, or what tasks inherit, so that `isTask` needs no class. */
export function brandTask<T extends object>(task: T): T {
  Object.defineProperty(task, TASK, { value: true });
  return Object.freeze(task);
}

export function isTask(value: unknown): value is Task {
  return typeof value === "object" && value !== null && TASK in value;
}

const FAMILY = Symbol.for("sluice.family");

/** Marks a function as a family, so that a module's other exports can be told apart. */
export function brandFamily<F extends FamilyDefinition>(family: F): F {
  Object.defineProperty(family, FAMILY, { value: true });
  return Object.freeze(family);
}

export function isFamily(value: unknown): value is FamilyDefinition {
  return typeof value === "function" && Object.hasOwn(value, FAMILY);
}

/** The tasks that its family's `requires` says must be complete first, each once, in written order. */
export function requirementsOf(task: Task): Task[] {
  const found = new Map<string, Task>();
  const pending: unknown[] = [task.family.requirementsOf(task)];
  while (pending.length > 0) {
    const next = pending.pop();
    if (next === undefined) continue;
    if (isTask(next)) {
      if (!found.has(next.id)) found.set(next.id, next);
      continue;
    }
    // One by one: 100,000 arguments of a spread overflow the stack.
    for (const inner of nested(task, next).reverse()) pending.push(inner);
  }
  return [...found.values()];
}

/** Types forbid the rest, but not in JavaScript: a promise would be no requirement at all. */
function nested(owner: Task, value: unknown): unknown[] {
  if (Array.isArray(value)) return [...value];
  const prototype: unknown =
    typeof value === "object" && value !== null ? Object.getPrototypeOf(value) : undefined;
  if (prototype === Object.prototype || prototype === null) return Object.values(value ?? {});
  const what = isFamily(value)
    ? `the family ${value.name} instead of one of its tasks: call it with its parameters`
    : `${value instanceof Promise ? "a promise" : typeof value}, which is no task: give tasks, in arrays or objects if there are several`;
  throw new PermanentError("REQUIREMENT_INVALID", `${owner.name}: requires() gave ${what}`, {
    fields: { task: owner.id },
  });
}
