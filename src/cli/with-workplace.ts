/** What commands on tasks share: the project, its services, and the task that a person named. */
import type { Task } from "../core/task.ts";
import { findTask } from "../queue/find-task.ts";
import type { Workplace } from "../queue/runtime.ts";
import { type OpenWorkplace, openWorkplace } from "../workplace.ts";
import { type DevelopmentOption, withServices } from "./development.ts";
import { loadProject } from "./load-project.ts";
import type { ConfigOption, Session } from "./session.ts";
import { taskFromArguments } from "./task-arguments.ts";

export interface TaskCommandOptions extends ConfigOption, DevelopmentOption {
  readonly json?: boolean;
}

/** Opens the project's workplace for the time of `use`. */
export async function withWorkplace<T>(
  { environment }: Session,
  options: TaskCommandOptions,
  use: (place: OpenWorkplace) => Promise<T>,
): Promise<T> {
  const project = await loadProject(options.config);
  return withServices(environment, options, async (settings) => {
    const place = await openWorkplace(project, settings);
    try {
      return await use(place);
    } finally {
      await place.close();
    }
  });
}

/** A task by its id, or by its family and parameters: `LoadTable --date 2026-11-21`. */
export async function namedTask(
  { engine, project }: Workplace,
  name: string,
  words: readonly string[],
): Promise<Task> {
  const isFamily = project.families.has(name) || words.length > 0;
  return isFamily ? taskFromArguments(project, name, words) : findTask(engine, project, name);
}
