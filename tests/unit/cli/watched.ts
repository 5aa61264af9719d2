/** What `watch` would have seen of a run, written by hand. */
import type { TaskState } from "../../../src/core/plan.ts";
import { requirementsOf, type Task } from "../../../src/core/task.ts";
import type { Watched } from "../../../src/queue/watch.ts";

/** What the first look found, and what the last one did. */
export type History = TaskState | readonly [before: TaskState, state: TaskState];

/** Requirements are those that the tasks declare, and those yielded. */
export function watchedOf(
  histories: readonly (readonly [Task, History, yielded?: readonly Task[]])[],
): Watched {
  return new Map(
    histories.map(([task, history, yielded = []]) => {
      const [before, state] = typeof history === "string" ? [history, history] : history;
      const requirements = [...requirementsOf(task), ...yielded];
      return [task.id, { task, before, state, requirements }];
    }),
  );
}

export const RAN: History = ["absent", "complete"];
