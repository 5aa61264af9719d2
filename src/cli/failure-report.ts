/**
 * What a person needs of failed tasks before anything else: which, why, and the command that runs
 * just that one again. A cause that hit a thousand tasks is not printed a thousand times.
 */
import { commandOf, type CommandFor } from "./command-line.ts";
import type { RunSummary } from "./summary.ts";

const MOST_TASKS = 10;

/** Line by line, with an empty line between two tasks; nothing at all when nothing failed. */
export function failureReport(
  { failed, failures }: RunSummary,
  command: CommandFor = commandOf,
): string[] {
  const lines = failed.slice(0, MOST_TASKS).flatMap((task, index) => {
    const message = failures.get(task.id)?.trimEnd() ?? "no error message was recorded";
    const told = [...message.split("\n"), `run it again: ${command("run", task)}`];
    const gap = index === 0 ? [] : [""];
    return [...gap, `${task.name} failed`, ...told.map((line) => `    ${line}`)];
  });
  const rest = failed.length - MOST_TASKS;
  return rest > 0 ? [...lines, "", `… and ${rest} more failed`] : lines;
}
