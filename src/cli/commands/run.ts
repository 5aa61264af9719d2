/** `sluice run`: submits a task and everything it needs, and waits until it is settled. */
import type { Project } from "../../core/config.ts";
import type { Task } from "../../core/task.ts";
import { type OpenWorkplace, openWorkplace } from "../../workplace.ts";
import { commandFor } from "../command-line.ts";
import { DEVELOPMENT_FOLDER, type DevelopmentOption, withServices } from "../development.ts";
import { EXIT } from "../exit.ts";
import { runRoot } from "../run-root.ts";
import type { ConfigOption, Named, Session } from "../session.ts";
import { startWorkerProcesses } from "../worker-processes.ts";

export interface RunOptions extends ConfigOption, DevelopmentOption {
  readonly json?: boolean;
  /** Asks the outputs of everything, also of what is recorded as complete. */
  readonly verify?: boolean;
  /** Worker processes that live as long as this command. */
  readonly workers?: number;
}

export async function runCommand(
  session: Session,
  { project, root }: Named,
  options: RunOptions,
): Promise<number> {
  return runIn(session, project, options, async () => root);
}

/** Runs the root that `choose` gives once the services are there; nothing when it gives none. */
export async function runIn(
  session: Session,
  project: Project,
  options: RunOptions,
  choose: (place: OpenWorkplace) => Promise<Task | undefined>,
): Promise<number> {
  return withServices(session.environment, options, async (settings, environment) => {
    const place = await openWorkplace(project, settings);
    const count = options.workers ?? (options.dev ? 1 : 0);
    const { config } = options;
    const startWorkers = () =>
      startWorkerProcesses({ count, config, folder: DEVELOPMENT_FOLDER, environment });
    try {
      const root = await choose(place);
      if (root === undefined) return EXIT.done;
      const { status } = await runRoot(session, place, root, {
        json: options.json ?? false,
        command: commandFor(options),
        verify: options.verify ?? false,
        startWorkers: count === 0 ? undefined : startWorkers,
      });
      return status === "done" ? EXIT.done : EXIT.taskFailed;
    } finally {
      await place.close();
    }
  });
}
