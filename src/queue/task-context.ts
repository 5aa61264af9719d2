/** What a task is given to look at its world: its parameters, and the handles of inputs and outputs. */
import type { Progress, RunContext, TaskContext } from "../core/run.ts";
import type { Stores } from "../core/stores.ts";
import { type Attempt, type Binding, bindOutputs } from "../core/target.ts";
import { isTask, type Requirements, type Task } from "../core/task.ts";
import type { Interrupt } from "./interrupt.ts";
import type { ProgressReporter } from "./progress.ts";

/**
 * The context of `sql`, and what `run` gets of it. With an attempt, outputs can be written. Getters of a
 * class: those of an object are made anew for every task.
 */
class Context implements TaskContext {
  readonly task: Task;
  readonly params: unknown;
  readonly output: unknown;
  readonly #binding: Binding;
  #input: { readonly handles: unknown } | undefined;

  constructor(binding: Binding) {
    const { task } = binding;
    this.#binding = binding;
    this.task = task;
    this.params = task.params;
    this.output = bindOutputs(task.outputs, binding);
  }

  // A store is opened, or found not to be configured, when the task asks for it.
  get source(): Stores["source"] {
    return this.#binding.stores.source;
  }

  get warehouse(): Stores["warehouse"] {
    return this.#binding.stores.warehouse;
  }

  get s3(): Stores["s3"] {
    return this.#binding.stores.s3;
  }

  // Nor is `requires` asked, or a signal made, for a run that does not look.
  get input(): unknown {
    this.#input ??= {
      handles: bindInput(this.task.family.requirementsOf(this.task), this.#binding),
    };
    return this.#input.handles;
  }

  get signal(): AbortSignal {
    return this.#binding.signal;
  }
}

/** What `sql` gets, and a look without an attempt. */
export function taskContext(binding: Binding): TaskContext {
  return new Context(binding);
}

/** What an attempt's outputs are bound to. Its signal is made when somebody asks for it. */
export class AttemptBinding implements Binding {
  readonly task: Task;
  readonly stores: Stores;
  readonly attempt: Attempt;
  readonly #interrupt: Interrupt;

  constructor(task: Task, stores: Stores, attempt: Attempt, interrupt: Interrupt) {
    this.task = task;
    this.stores = stores;
    this.attempt = attempt;
    this.#interrupt = interrupt;
  }

  get signal(): AbortSignal {
    return this.#interrupt.signal;
  }
}

/** What `run` gets. */
export class AttemptContext extends Context implements RunContext {
  readonly attempt: Attempt;
  readonly progress: (report: Progress) => void;
  readonly log: (line: string) => void;

  constructor(binding: AttemptBinding, reporter: ProgressReporter) {
    super(binding);
    this.attempt = binding.attempt;
    this.progress = (report) => reporter.report(report);
    this.log = (line) => reporter.log(line);
  }
}

/** The handles of every requirement's outputs, in the shape of `requires`. */
function bindInput(
  requirements: Requirements,
  binding: Pick<Binding, "stores" | "signal">,
): unknown {
  if (requirements === undefined) return undefined;
  if (isTask(requirements)) {
    const { stores, signal } = binding;
    return bindOutputs(requirements.outputs, { task: requirements, stores, signal });
  }
  if (Array.isArray(requirements)) {
    return requirements.map((requirement: Requirements) => bindInput(requirement, binding));
  }
  return Object.fromEntries(
    Object.entries(requirements).map(([name, requirement]) => [
      name,
      bindInput(requirement, binding),
    ]),
  );
}
