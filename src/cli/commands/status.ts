/** `sluice status`: how a root, or everything, stands: counts, what failed, what runs. Writes nothing. */
import { makePlan } from "../../core/plan.ts";
import { completeBelow } from "../../queue/complete-below.ts";
import { failedTasks } from "../../queue/failed-tasks.ts";
import { readRuns } from "../../queue/history/runs.ts";
import { lookInRedis } from "../../queue/look.ts";
import { queueStatus, runningJobs } from "../../queue/queue-status.ts";
import type { Workplace } from "../../queue/runtime.ts";
import { EXIT } from "../exit.ts";
import { printPage } from "../print-page.ts";
import type { Session } from "../session.ts";
import { type Status, statusLines } from "../status-page.ts";
import { namedTask, type TaskCommandOptions, withWorkplace } from "../with-workplace.ts";

const RUNS = 5;

/** Ends with 1 when something failed. */
export async function statusCommand(
  session: Session,
  name: string | undefined,
  words: readonly string[],
  options: TaskCommandOptions,
): Promise<number> {
  const { terminal } = session;
  return withWorkplace(session, options, async (place) => {
    const status = name === undefined ? await everything(place) : await ofRoot(place, name, words);
    if (options.json) terminal.print(JSON.stringify(status));
    else printPage(terminal, statusLines(status));
    return status.failed.length === 0 ? EXIT.done : EXIT.taskFailed;
  });
}

async function everything(place: Workplace): Promise<Status> {
  const { engine, project } = place;
  const [queues, failed, running, runs] = await Promise.all([
    queueStatus(engine, project),
    failedTasks(place),
    runningJobs(engine, project),
    readRuns(engine, { limit: RUNS }),
  ]);
  return { root: null, queues, tasks: null, failed: failed.map(brief), running, runs };
}

async function ofRoot(place: Workplace, name: string, words: readonly string[]): Promise<Status> {
  const { engine, project } = place;
  const root = await namedTask(place, name, words);
  const plan = await makePlan(root, (tasks) => lookInRedis(place, tasks));
  const ids = new Set(plan.tasks.keys());
  const tasks: Record<string, number> = { complete: (await completeBelow(place, plan)).length };
  for (const { state } of plan.tasks.values()) tasks[state] = (tasks[state] ?? 0) + 1;
  const [failed, running, runs] = await Promise.all([
    failedTasks(place, ids),
    runningJobs(engine, project, ids),
    readRuns(engine, { limit: RUNS, root: root.id }),
  ]);
  const { id } = root;
  return {
    root: { id, name: root.name },
    queues: [],
    tasks,
    failed: failed.map(brief),
    running,
    runs,
  };
}

function brief({ id, name, error, at, blocked }: Status["failed"][number]) {
  return { id, name, error, at, blocked };
}
