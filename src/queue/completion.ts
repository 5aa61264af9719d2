/** The calls that record a task as complete; `lua/complete.lua` says what they do. */
import type { Task } from "../core/task.ts";
import { answerText } from "./answer.ts";
import type { Engine } from "./engine.ts";
import type { Argument } from "./gathered.ts";
import type { ScriptCall } from "./scripts.ts";

interface Ending {
  /** The id of the attempt. */
  readonly attempt: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The units of resources that it holds, as `needsOf` gives them. */
  readonly needs: string;
  /** What completes its job, as `JobCompletions` gives it. */
  readonly job: readonly Argument[];
}

/** Of a task whose attempt has the lease. Throws a `PermanentError` when the answer cannot be kept. */
export function completion(
  { keys }: Engine,
  task: Task,
  answer: unknown,
  { attempt, at, needs, job }: Ending,
): ScriptCall<"complete"> {
  const text = answerText(task, answer);
  return {
    name: "complete",
    key: keys.job(task.family.queue, task.id),
    args: [keys.own, task.id, attempt, task.name, text, at, 0, needs, ...job],
  };
}

/** Of a task whose output was found to exist, in this generation. */
export function adoption({ keys }: Engine, task: Task, generation = 0): ScriptCall<"complete"> {
  return {
    name: "complete",
    key: keys.job(task.family.queue, task.id),
    args: [keys.own, task.id, "", task.name, "null", Date.now(), generation, ""],
  };
}
