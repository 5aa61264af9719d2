/** The handles of every requirement's outputs, in the shape of `requires`. */
import { bindOutputs, type Binding } from "../core/target.ts";
import { isTask, type Requirements } from "../core/task.ts";

export function bindInput(
  requirements: Requirements,
  binding: Omit<Binding, "task" | "attempt">,
): unknown {
  if (requirements === undefined) return undefined;
  if (isTask(requirements)) {
    return bindOutputs(requirements.outputs, { ...binding, task: requirements });
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
