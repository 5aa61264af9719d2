/** What `sluice status` says. Prints nothing. */
import type { RecordedRun } from "../queue/history/runs.ts";
import type { QueueStatus, RunningJob } from "../queue/queue-status.ts";
import { countText } from "./quantity.ts";
import { runLine } from "./task-page.ts";
import { timeAndDistance } from "./time-text.ts";

export interface Status {
  /** Null for everything. */
  readonly root: { readonly id: string; readonly name: string } | null;
  /** Empty for a root: it shares them. */
  readonly queues: readonly QueueStatus[];
  /** The root's tasks by state. */
  readonly tasks: Readonly<Record<string, number>> | null;
  readonly failed: readonly {
    readonly id: string;
    readonly name: string;
    readonly error: string;
    readonly at: number;
    readonly blocked: number;
  }[];
  readonly running: readonly RunningJob[];
  readonly runs: readonly RecordedRun[];
}

/** Shown of each list; `--json` has all. */
const MOST = 10;

export function statusLines({ root, queues, tasks, failed, running, runs }: Status): string[] {
  return [
    ...(root === null ? queueTable(queues) : [root.name, ...stateLine(tasks ?? {})]),
    ...list("failed", failed, ({ name, error, blocked }) => [
      `${name}, holds up ${countText(blocked)}`,
      `  ${error.split("\n")[0]}`,
    ]),
    ...(failed.length === 0 ? [] : ["", 'all of it, and how to retry: "sluice errors"']),
    ...list("running", running, ({ name, since }) => [`${name} since ${timeAndDistance(since)}`]),
    ...list("latest runs", runs, (run) => [
      ...(root === null ? [run.name] : []),
      `${root === null ? "  " : ""}${runLine(run)}`,
    ]),
  ];
}

function stateLine(tasks: Readonly<Record<string, number>>): string[] {
  const counts = Object.entries(tasks).filter(([, count]) => count > 0);
  return [`  ${counts.map(([state, count]) => `${countText(count)} ${state}`).join(", ")}`];
}

const COLUMNS = ["running", "waiting", "delayed", "blocked", "failed", "workers"] as const;

function queueTable(queues: readonly QueueStatus[]): string[] {
  const width = Math.max(...queues.map(({ queue }) => queue.length), "queue".length);
  const row = (name: string, cells: readonly string[], note = "") =>
    `${name.padEnd(width)}${cells.map((cell) => cell.padStart(9)).join("")}${note}`;
  return [
    row("queue", COLUMNS),
    ...queues.map((each) =>
      row(
        each.queue,
        COLUMNS.map((column) => countText(each[column])),
        each.paused ? "  paused" : "",
      ),
    ),
  ];
}

function list<T>(title: string, items: readonly T[], linesOf: (item: T) => string[]): string[] {
  if (items.length === 0) return [];
  const rest = items.length - MOST;
  return [
    "",
    `${title} (${countText(items.length)}):`,
    ...items.slice(0, MOST).flatMap((item) => linesOf(item).map((line) => `  ${line}`)),
    ...(rest > 0 ? [`  … and ${countText(rest)} more`] : []),
  ];
}
