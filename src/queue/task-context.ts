/** What a task is given to look at its world: its parameters, and the handles of inputs and outputs. */
import type { TaskContext } from "../core/run.ts";
import { type Binding, bindOutputs } from "../core/target.ts";
import { isTask, type Requirements } from "../core/task.ts";

/** The context of `sql`, and what `run` gets of it. With an attempt, outputs can be written. */
export function taskContext(binding: Binding): TaskContext {
  const { task, stores } = binding;
  let input: { readonly handles: unknown } | undefined;
  return {
    // Not spread: a store is opened, or found not to be configured, when the task asks for it.
    get source() {
      return stores.source;
    },
    get warehouse() {
      return stores.warehouse;
    },
    get s3() {
      return stores.s3;
    },
    task,
    params: task.params,
    // Nor is `requires` asked, or a signal made, for a run that does not look.
    get input() {
      input ??= { handles: bindInput(task.family.requirementsOf(task), binding) };
      return input.handles;
    },
    output: bindOutputs(task.outputs, binding),
    get signal() {
      return binding.signal;
    },
  };
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
