/** `sluice retry`: fresh attempts, at once, for a failed task, or for all that failed below a root. */
import { makePlan } from "../../core/plan.ts";
import { recordRun } from "../../queue/history/runs.ts";
import { lookInRedis } from "../../queue/look.ts";
import { retryFailed } from "../../queue/retry-failed.ts";
import { operatorName } from "../operator.ts";
import type { Session } from "../session.ts";
import { namedTask, type TaskCommandOptions, withWorkplace } from "../with-workplace.ts";

export async function retryCommand(
  session: Session,
  name: string,
  words: readonly string[],
  options: TaskCommandOptions,
): Promise<void> {
  const { terminal } = session;
  await withWorkplace(session, options, async (place) => {
    const { engine } = place;
    const root = await namedTask(place, name, words);
    const plan = await makePlan(root, (tasks) => lookInRedis(place, tasks));
    const retried = await retryFailed(engine, plan.tasks, ["failed", "completed"]);
    if (retried.length > 0) await recordRun(engine, plan, { kind: "retry", by: operatorName() });
    if (options.json) {
      const tasks = retried.map(({ id, name }) => ({ id, name }));
      terminal.print(JSON.stringify({ root: root.id, retried: tasks }));
      return;
    }
    const count = retried.length;
    if (count === 0) terminal.print(`${root.name}: nothing has failed here, nothing was retried`);
    else terminal.print(`retried ${count === 1 ? "1 task" : `${count} tasks`}:`);
    for (const task of retried) terminal.print(`  ${task.name}`);
  });
}
