/** `sluice invalidate`: removes outputs and records of tasks, after a preview. Runs nothing. */
import { commandFor } from "../command-line.ts";
import { EXIT } from "../exit.ts";
import { type InvalidationOptions, invalidateTask } from "../invalidation.ts";
import type { Session } from "../session.ts";
import { namedTask, withWorkplace } from "../with-workplace.ts";

export async function invalidateCommand(
  session: Session,
  name: string,
  words: readonly string[],
  options: InvalidationOptions,
): Promise<number> {
  const { terminal } = session;
  return withWorkplace(session, options, async (place) => {
    const task = await namedTask(place, name, words);
    const { root, tasks, done } = await invalidateTask(session, place, task, options);
    if (options.json) {
      const list = tasks.map(({ task: { id, name }, outputs }) => ({ id, name, outputs }));
      terminal.print(JSON.stringify({ invalidated: done, tasks: list }));
    } else if (done) {
      terminal.print(`Invalidated. To run again: ${commandFor(options)("run", root)}`);
    }
    return EXIT.done;
  });
}
