/** The outputs of a task, each with whether it exists. A store that is away does not hide the others. */
import { messageOf } from "../core/errors.ts";
import { maskSecrets } from "../core/secret.ts";
import { type Binding, flattenOutputs, type Target } from "../core/target.ts";

export interface OutputFacts {
  readonly location: string;
  /** Null when it could not be asked; `problem` says why. */
  readonly exists: boolean | null;
  readonly problem?: string;
}

export async function outputsOf(binding: Binding): Promise<readonly OutputFacts[]> {
  return Promise.all(flattenOutputs(binding.task.outputs).map((target) => ask(target, binding)));
}

async function ask(target: Target, binding: Binding): Promise<OutputFacts> {
  let location = target.kind;
  try {
    const handle = target.bind(binding);
    location = handle.location;
    return { location, exists: await handle.exists() };
  } catch (error) {
    return { location, exists: null, problem: maskSecrets(messageOf(error)) };
  }
}
