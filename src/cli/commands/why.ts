/** `sluice why`: every reason for which a task is not running. Writes nothing. */
import { why } from "../../queue/why.ts";
import { explainWhy } from "../explain-why.ts";
import { commandFor } from "../command-line.ts";
import { printPage } from "../print-page.ts";
import type { Session } from "../session.ts";
import { namedTask, type TaskCommandOptions, withWorkplace } from "../with-workplace.ts";

export async function whyCommand(
  session: Session,
  name: string,
  words: readonly string[],
  options: TaskCommandOptions,
): Promise<void> {
  const { terminal, signal } = session;
  await withWorkplace(session, options, async (place) => {
    const task = await namedTask(place, name, words);
    const found = await why(place, task, signal);
    if (!options.json) {
      printPage(terminal, explainWhy(task, found, commandFor(options)));
      return;
    }
    const reasons = found.reasons.map((reason) => {
      if (reason.kind !== "blocked") return reason;
      const causes = reason.causes.map(({ task: { id, name }, reasons }) => ({
        id,
        name,
        reasons,
      }));
      return { ...reason, causes };
    });
    terminal.print(JSON.stringify({ id: task.id, name: task.name, state: found.state, reasons }));
  });
}
