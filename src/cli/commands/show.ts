/** `sluice show`: all that is known of one task: parameters, outputs, answer, attempts. Writes nothing. */
import { maskSecrets } from "../../core/secret.ts";
import { answersOf } from "../../queue/details.ts";
import { transitionsOf } from "../../queue/history/attempt.ts";
import { readAttempts } from "../../queue/history/read-attempts.ts";
import { readRuns } from "../../queue/history/runs.ts";
import { why } from "../../queue/why.ts";
import { outputsOf } from "../../queue/outputs-of.ts";
import { commandFor } from "../command-line.ts";
import { explainWhy } from "../explain-why.ts";
import { printPage } from "../print-page.ts";
import type { Session } from "../session.ts";
import { namedTask, type TaskCommandOptions, withWorkplace } from "../with-workplace.ts";
import { taskLines, type TaskFacts } from "../task-page.ts";

const RUNS = 5;

export async function showCommand(
  session: Session,
  name: string,
  words: readonly string[],
  options: TaskCommandOptions,
): Promise<void> {
  const { terminal, signal } = session;
  await withWorkplace(session, options, async (place) => {
    const { engine, stores } = place;
    const task = await namedTask(place, name, words);
    const [reasons, outputs, answers, attempts, runs] = await Promise.all([
      why(place, task, signal),
      outputsOf({ task, stores, signal }),
      answersOf(engine, [task]),
      readAttempts(engine, task.id),
      readRuns(engine, { limit: RUNS, root: task.id }),
    ]);
    const parameters = Object.fromEntries(
      Object.entries(task.texts).map(([param, text]) => [
        param,
        // By its name a value is known to be a secret.
        maskSecrets(`${param}=${text}`).slice(param.length + 1),
      ]),
    );
    const { rows, bytes } = answers.get(task.id) ?? {};
    const facts: TaskFacts = { task, parameters, outputs, rows, bytes, attempts, runs };
    if (options.json) {
      terminal.print(
        JSON.stringify({
          id: task.id,
          name: task.name,
          state: reasons.state,
          queue: task.family.queue,
          parameters,
          outputs,
          rows: rows ?? null,
          bytes: bytes ?? null,
          attempts,
          transitions: transitionsOf(attempts),
          runs,
        }),
      );
      return;
    }
    printPage(terminal, [...explainWhy(task, reasons, commandFor(options)), ...taskLines(facts)]);
  });
}
