/**
 * What a person needs of failed tasks before anything else: which, why, and the command that runs
 * just that one again. A cause that hit a thousand tasks is not printed a thousand times.
 */
import { isOptional } from "../core/params/codec.ts";
import type { Task } from "../core/task.ts";
import type { RunSummary } from "./summary.ts";

const MOST_TASKS = 10;

/** Line by line, with an empty line between two tasks; nothing at all when nothing failed. */
export function failureReport({ failed, failures }: RunSummary): string[] {
  const lines = failed.slice(0, MOST_TASKS).flatMap((task, index) => {
    const message = failures.get(task.id)?.trimEnd() ?? "no error message was recorded";
    const told = [...message.split("\n"), `run it again: ${commandOf(task)}`];
    const gap = index === 0 ? [] : [""];
    return [...gap, `${task.name} failed`, ...told.map((line) => `    ${line}`)];
  });
  const rest = failed.length - MOST_TASKS;
  return rest > 0 ? [...lines, "", `… and ${rest} more failed`] : lines;
}

/** The command line for one task, for a POSIX shell: `sluice run Copy --table orders --note 'a b'`. */
export function commandOf(task: Task): string {
  const options = Object.entries(task.texts).flatMap(([name, text]) => {
    const codec = task.family.params[name];
    if (text === "" && codec !== undefined && isOptional(codec)) return [];
    // A value that looks like an option must be attached to its own.
    return text.startsWith("-")
      ? [`${quote(`--${name}`)}=${quote(text)}`]
      : [quote(`--${name}`), quote(text)];
  });
  return ["sluice run", task.family.name, ...options].join(" ");
}

function quote(word: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
