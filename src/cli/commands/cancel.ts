/** `sluice cancel`: ends a task's attempt, wherever it runs, or takes it out of the queue. */
import { type Cancelled, cancelTask } from "../../queue/cancel.ts";
import { findJob } from "../../queue/find-task.ts";
import { OtherVersionError } from "../../queue/other-version.ts";
import { EXIT } from "../exit.ts";
import { operatorName } from "../operator.ts";
import type { Session } from "../session.ts";
import { namedTask, type TaskCommandOptions, withWorkplace } from "../with-workplace.ts";

const TEXTS: Readonly<Record<Cancelled, string>> = {
  ended: "cancelled: its attempt has ended",
  removed: "cancelled: it was waiting, and will not run",
  complete: "complete: nothing to cancel",
  failed: "had failed: nothing to cancel, and the scheduler leaves it alone from now on",
  absent: "not in the queue: nothing to cancel",
};

export async function cancelCommand(
  session: Session,
  name: string,
  words: readonly string[],
  options: TaskCommandOptions,
): Promise<number> {
  const { terminal, signal } = session;
  return withWorkplace(session, options, async (place) => {
    const task = await namedTask(place, name, words).catch(async (error: unknown) => {
      // Nobody else could end it: no worker of this version can build it.
      const job =
        error instanceof OtherVersionError
          ? await findJob(place.engine, place.project, name)
          : undefined;
      if (job === undefined) throw error;
      return job;
    });
    const found = await cancelTask(place, task, {
      by: operatorName(),
      signal,
      onRunning: () => terminal.tell(`${task.name}: running, waiting until it has ended`),
    }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
      terminal.tell("interrupted: its worker ends it all the same");
    });
    if (found === undefined) return EXIT.taskFailed;
    if (options.json) terminal.print(JSON.stringify({ id: task.id, name: task.name, found }));
    else terminal.print(`${task.name}: ${TEXTS[found]}`);
    return found === "ended" || found === "removed" ? EXIT.done : EXIT.taskFailed;
  });
}
