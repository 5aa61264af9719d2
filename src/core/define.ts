/**
 * `defineTask`, `defineWrapper`, `defineExternal`: a declaration (pure data that the planner, the
 * CLI and the dashboard read) and, for tasks, a function, the only place where effects happen.
 * Two arguments, so that type inference never depends on the order of properties.
 */
import {
  checkAttempts,
  checkFamilyName,
  checkPriority,
  checkQueueName,
  checkResourceName,
  checkTimeout,
  checkUnits,
} from "./check-declaration.ts";
import { backoffRange, milliseconds } from "./duration.ts";
import { messageOf, PermanentError, UsageError } from "./errors.ts";
import {
  type NormalizedParams,
  normalizeParams,
  type ParamArguments,
  type ParamsDeclaration,
  type ParamValues,
  parseParams,
} from "./params/schema.ts";
import type { InputOf, RunContext, RunResult, TaskContext } from "./run.ts";
import { flattenOutputs, type HandlesOf, type Outputs } from "./target.ts";
import {
  brandFamily,
  brandTask,
  type FamilyDefinition,
  type Requirements,
  type Task,
} from "./task.ts";
import { taskId } from "./task-id.ts";

/** The queue of families that name none. */
const DEFAULT_QUEUE = "default";

/** Call a family with parameter values to get a task. */
export interface TaskFamily<D extends ParamsDeclaration, O extends Outputs, Answer>
  extends FamilyDefinition {
  (...args: FamilyArguments<D>): Task<Answer, O>;
  readonly params: D;
  parse(texts: Readonly<Record<string, string>>): Task<Answer, O>;
}

/** One object of parameter values; nothing at all when none is needed. */
type FamilyArguments<D extends ParamsDeclaration> =
  Record<never, never> extends ParamArguments<D>
    ? [args?: ParamArguments<D>]
    : [args: ParamArguments<D>];

interface CommonDeclaration<D extends ParamsDeclaration> {
  /** The family's name: letters, digits, `_` and `.`, beginning with a letter. */
  readonly name: string;
  readonly params?: D;
  /** Which workers run it: `copy`, `load`, `sql`, `unload`, or a queue of your own. */
  readonly queue?: string;
  /**
   * Of the tasks that could run, those with the highest priority run first, then in the order in which
   * they became ready, which is that of `requires`. From 1000 to -1000, default 0.
   */
  readonly priority?: number;
}

export interface TaskDeclaration<
  D extends ParamsDeclaration,
  R extends Requirements,
  O extends Outputs,
> extends CommonDeclaration<D> {
  /** What must be complete first. Pure: it may be called at any time, on any machine. */
  readonly requires?: (params: ParamValues<D>) => R;
  /** What proves that the task is complete. Pure, like `requires`. */
  readonly output?: (params: ParamValues<D>) => O;
  /** Default: 3 attempts with a backoff of `"5s..5m"`. */
  readonly retry?: { readonly attempts?: number; readonly backoff?: string };
  /**
   * How long one attempt may take, for example `"2h"`: then its signal aborts, which ends its
   * statements on the server, and it fails like any other. Default: no limit.
   */
  readonly timeout?: string;
  /**
   * The units of resources that an attempt takes, for example `{ redshift: 1 }`. It begins when they
   * are free, and occupies no worker until then. `defineConfig` has the limits.
   */
  readonly resources?: Readonly<Record<string, number>>;
  /** The statements that `run` would execute: what `sluice sql` prints. */
  readonly sql?: (
    context: TaskContext<ParamValues<D>, InputOf<R>, HandlesOf<O>>,
  ) => readonly string[] | Promise<readonly string[]>;
}

/**
 * Declares a family of tasks that run. A `run` that is a generator waits for further tasks with
 * `yield*`; after a wait that was not answered at once it starts again from its first line.
 *
 * ```ts
 * export const Hello = defineTask(
 *   { name: "Hello", params: { who: p.text() } },
 *   ({ params }) => ({ greeting: `Hello, ${params.who}` }),
 * );
 * ```
 */
export function defineTask<
  Answer,
  const D extends ParamsDeclaration = Record<never, never>,
  R extends Requirements = undefined,
  O extends Outputs = undefined,
>(
  declaration: TaskDeclaration<D, R, O>,
  run: (context: RunContext<ParamValues<D>, InputOf<R>, HandlesOf<O>>) => RunResult<Answer>,
): TaskFamily<D, O, YieldedAnswer<Answer, O>> {
  return makeFamily<D, O, YieldedAnswer<Answer, O>>("task", declaration, { ...declaration, run });
}

/**
 * What `yield*` gives. A task whose outputs were found (Redis was emptied, or Luigi made them) is
 * complete without having run, so nobody knows what its run returned: null. One without outputs can
 * only be complete because it ran.
 */
type YieldedAnswer<Answer, O extends Outputs> = O extends undefined ? Answer : Answer | null;

/** Declares a family that is complete when its requirements are. It writes nothing. */
export function defineWrapper<const D extends ParamsDeclaration = Record<never, never>>(
  declaration: CommonDeclaration<D> & {
    readonly requires: (params: ParamValues<D>) => Requirements;
  },
): TaskFamily<D, undefined, undefined> {
  return makeFamily<D, undefined, undefined>("wrapper", declaration, declaration);
}

/** Declares a family that something else produces: never run here, waited for until it exists. */
export function defineExternal<
  O extends Outputs,
  const D extends ParamsDeclaration = Record<never, never>,
>(
  declaration: CommonDeclaration<D> & { readonly output: (params: ParamValues<D>) => O },
): TaskFamily<D, O, undefined> {
  return makeFamily<D, O, undefined>("external", declaration, declaration);
}

/** The functions of a declaration. Methods, so that they may take the family's own types. */
interface Behaviour<O extends Outputs> {
  requires?(params: unknown): Requirements;
  output?(params: unknown): O;
  run?(context: RunContext): RunResult<unknown>;
  sql?(context: TaskContext): readonly string[] | Promise<readonly string[]>;
  readonly retry?: { readonly attempts?: number; readonly backoff?: string };
  readonly timeout?: string;
  readonly resources?: Readonly<Record<string, number>>;
}

function makeFamily<D extends ParamsDeclaration, O extends Outputs, Answer>(
  kind: FamilyDefinition["kind"],
  declaration: CommonDeclaration<D>,
  behaviour: Behaviour<O>,
): TaskFamily<D, O, Answer> {
  const { name, queue = DEFAULT_QUEUE, priority = 0 } = declaration;
  const { attempts = 3, backoff = "5s..5m" } = behaviour.retry ?? {};
  checkFamilyName(name);
  checkQueueName(queue, `${name}: queue`);
  checkPriority(priority, `${name}: priority`);
  checkAttempts(attempts, `${name}: retry.attempts`);
  const timeout =
    behaviour.timeout === undefined
      ? undefined
      : milliseconds(behaviour.timeout, `${name}: timeout`);
  if (timeout !== undefined) checkTimeout(timeout, `${name}: timeout`);
  const resources = Object.entries(behaviour.resources ?? {}).map(([resource, units]) => {
    checkResourceName(resource, `${name}: resources`);
    checkUnits(units, `${name}: resources.${resource}`);
    return { name: resource, units };
  });
  const params = declaration.params ?? ({} as D);

  // A class: a graph of 100,000 tasks has the functions once.
  class FamilyTask implements Task<Answer, O> {
    readonly id: string;
    readonly family: FamilyDefinition = family;
    readonly params: ParamValues<D>;
    readonly texts: Readonly<Record<string, string>>;
    readonly name: string;

    constructor({ values, texts, significantTexts }: NormalizedParams<D>) {
      this.id = taskId(name, significantTexts);
      this.params = values;
      this.texts = texts;
      this.name = taskName(name, significantTexts);
      Object.freeze(this);
    }

    get outputs(): O {
      return declared(this, "output", () => {
        const outputs = behaviour.output?.(this.params);
        flattenOutputs(outputs);
        return outputs;
      }) as O;
    }

    *[Symbol.iterator](): Generator<Task, Answer, unknown> {
      const answer: unknown = yield this;
      // The engine answers with what this family's `run` returned, by way of Redis.
      return answer as Answer;
    }
  }
  brandTask(FamilyTask.prototype);

  const family: TaskFamily<D, O, Answer> = Object.assign(
    (...[args]: FamilyArguments<D>) =>
      new FamilyTask(normalizeParams(name, params, args ?? ({} as ParamArguments<D>))),
    {
      kind,
      params,
      queue,
      priority,
      timeout,
      resources,
      retry: { attempts, backoff: backoffRange(backoff, `${name}: retry.backoff`) },
      parse: (texts: Readonly<Record<string, string>>) =>
        new FamilyTask(parseParams(name, params, texts)),
      requirementsOf: (task: Task) =>
        declared(task, "requires", () => behaviour.requires?.(task.params)),
      run: behaviour.run?.bind(behaviour),
      sql: behaviour.sql?.bind(behaviour),
    },
  );
  Object.defineProperty(family, "name", { value: name });
  return brandFamily(family);
}

/** Calls a function of a declaration; what it throws is the task's fault, and says so. */
function declared<T>(task: Task, what: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new PermanentError(
      "DECLARATION_THREW",
      `${task.name}: ${what}() threw: ${messageOf(error)}. It must be a pure function of the parameters.`,
      { cause: error, fields: { task: task.id } },
    );
  }
}

function taskName(family: string, texts: Readonly<Record<string, string>>): string {
  const params: string[] = [];
  for (const key of Object.keys(texts)) {
    const text = texts[key] ?? "";
    if (text !== "") params.push(`${key}=${text}`);
  }
  // Joined, because V8 keeps the parts of a template beside its text: 100 bytes for each of 100,000 tasks.
  return [family, "(", params.join(", "), ")"].join("");
}
