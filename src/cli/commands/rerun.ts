/** `sluice rerun`: invalidates like `sluice invalidate`, then runs like `sluice run`. */
import { type InvalidationOptions, invalidateTask } from "../invalidation.ts";
import { loadProject } from "../load-project.ts";
import type { Session } from "../session.ts";
import { namedTask } from "../with-workplace.ts";
import { runIn, type RunOptions } from "./run.ts";

export async function rerunCommand(
  session: Session,
  name: string,
  words: readonly string[],
  options: InvalidationOptions & RunOptions,
): Promise<number> {
  const project = await loadProject(options.config);
  return runIn(session, project, options, async (place) => {
    const task = await namedTask(place, name, words);
    const { root, done } = await invalidateTask(session, place, task, options);
    return done ? root : undefined;
  });
}
