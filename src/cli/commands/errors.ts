/**
 * `sluice errors`: what failed for good, why, what it holds up, and how to retry it; and jobs that only
 * a worker of another version can run. Writes nothing.
 */
import { makePlan } from "../../core/plan.ts";
import { type FailedTask, failedTasks } from "../../queue/failed-tasks.ts";
import { lookInRedis } from "../../queue/look.ts";
import { jobsOfOtherVersions, type WaitingJob } from "../../queue/other-version.ts";
import type { Workplace } from "../../queue/runtime.ts";
import { EXIT } from "../exit.ts";
import { commandFor } from "../command-line.ts";
import { ticksText } from "../explain-why.ts";
import { printPage } from "../print-page.ts";
import { countText } from "../quantity.ts";
import type { Session } from "../session.ts";
import { timeAndDistance } from "../time-text.ts";
import { namedTask, type TaskCommandOptions, withWorkplace } from "../with-workplace.ts";

/** Shown as text; `--json` has them all. */
const MOST_TASKS = 20;

/** Ends with 1 when something failed. */
export async function errorsCommand(
  session: Session,
  name: string | undefined,
  words: readonly string[],
  options: TaskCommandOptions,
): Promise<number> {
  const { terminal } = session;
  return withWorkplace(session, options, async (place) => {
    const failed = await failedTasks(place, await below(place, name, words));
    // They are of no root of this version.
    const waiting = name === undefined ? await jobsOfOtherVersions(place) : [];
    if (options.json) {
      const entries = [...failed.map((each) => json(each, options)), ...waiting.map(waitingJson)];
      terminal.print(JSON.stringify(entries));
    } else {
      printPage(terminal, [...lines(failed, options), ...waiting.flatMap(waitingLines)]);
    }
    return failed.length === 0 ? EXIT.done : EXIT.taskFailed;
  });
}

/** The ids of all that a root needs; undefined when none is named. */
async function below(
  place: Workplace,
  name: string | undefined,
  words: readonly string[],
): Promise<ReadonlySet<string> | undefined> {
  if (name === undefined) return undefined;
  const root = await namedTask(place, name, words);
  const { tasks } = await makePlan(root, (part) => lookInRedis(place, part));
  return new Set(tasks.keys());
}

function lines(failed: readonly FailedTask[], options: TaskCommandOptions): string[] {
  if (failed.length === 0) return ["nothing has failed"];
  const shown = failed.slice(0, MOST_TASKS).flatMap((each, index) => [
    ...(index === 0 ? [] : [""]),
    each.name,
    `  failed ${timeAndDistance(each.at)}, attempts: ${each.attempts}, holds up: ${heldUp(each.blocked)}`,
    ...each.error
      .trimEnd()
      .split("\n")
      .map((line) => `  ${line}`),
    ...ticksLines(each),
    `  ${retryText(each, options)}`,
  ]);
  const rest = failed.length - MOST_TASKS;
  return rest > 0 ? [...shown, "", `… and ${countText(rest)} more: --json has all`] : shown;
}

function heldUp(blocked: number): string {
  return blocked === 1 ? "1 task" : `${countText(blocked)} tasks`;
}

function ticksLines({ ticks }: FailedTask): string[] {
  const text = ticksText(ticks);
  return text === undefined ? [] : [`  ${text}`];
}

function retryText({ id, task }: FailedTask, options: TaskCommandOptions): string {
  if (task === undefined) return `this project has no such task any more (${id})`;
  return `retry it: ${commandFor(options)("retry", task)}`;
}

function waitingLines({ name, error, until }: WaitingJob): string[] {
  return ["", name, `  ${error}`, `  it is looked at again ${timeAndDistance(until)}`];
}

function waitingJson(job: WaitingJob) {
  return { ...job, state: "other-version" };
}

function json({ task, ...each }: FailedTask, options: TaskCommandOptions) {
  return {
    ...each,
    state: "failed",
    retry: task === undefined ? null : commandFor(options)("retry", task),
  };
}
