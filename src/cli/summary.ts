/**
 * The execution summary: the text that Luigi (3.8.1) ends with, line by line, under our name, and one
 * line of totals after it. What Luigi has no words for (tasks that workers still run, or have not
 * begun, when `sluice run` is interrupted) has lines of its own in the same form. Writes nothing.
 */
import type { Task } from "../core/task.ts";
import type { Details } from "../queue/details.ts";
import type { Watched } from "../queue/watch.ts";
import { familyLines } from "./family-lines.ts";
import { type Outcomes, outcomes, type PendingReason } from "./outcomes.ts";
import { bytesText, rowsText, secondsText } from "./quantity.ts";

const HEADER = "===== Sluice Execution Summary =====";

const PENDING_TEXTS: readonly (readonly [PendingReason, string])[] = [
  ["external", "were missing external dependencies"],
  ["running", "were still running"],
  ["waiting", "were still waiting to run"],
  ["afterFailed", "had failed dependencies"],
  ["afterMissing", "had missing dependencies"],
  ["afterPending", "had dependencies that were still running or waiting"],
];

export interface RunSummary extends Outcomes {
  readonly root: Task;
  /** Why tasks failed, by task id. */
  readonly failures: ReadonlyMap<string, string>;
  /** Of the tasks that ran, together. */
  readonly rows: number;
  readonly bytes: number;
  /** Of the whole run, by the clock. */
  readonly seconds: number;
}

interface RunFacts {
  /** Rows and bytes by task id; those of tasks that did not run this time are not counted. */
  readonly details: ReadonlyMap<string, Details>;
  readonly failures: ReadonlyMap<string, string>;
  readonly seconds: number;
}

export function summarize(root: Task, watched: Watched, facts: RunFacts): RunSummary {
  const all = outcomes(watched);
  const sum = (key: "rows" | "bytes") =>
    all.ran.reduce((total, { id }) => total + (facts.details.get(id)?.[key] ?? 0), 0);
  const { failures, seconds } = facts;
  return { ...all, root, failures, rows: sum("rows"), bytes: sum("bytes"), seconds };
}

/**
 * Luigi's `summary_text`, and `49,120 rows · 8.1 MB · 6.2 s` after it.
 *
 * ```
 * ===== Sluice Execution Summary =====
 *
 * Scheduled 4 tasks of which:
 * * 4 ran successfully:
 *     - 1 AllTasks(date=2026-11-21)
 *     - 3 Leaf(n=1,2,3)
 *
 * This progress looks :) because there were no failed tasks or missing dependencies
 *
 * ===== Sluice Execution Summary =====
 * ```
 */
export function executionSummary(summary: RunSummary): string {
  return `\n${HEADER}\n\n${body(summary)}\n\n${HEADER}\n${totalsLine(summary)}`;
}

function body(outcomes: Outcomes): string {
  const { complete, ran, failed, pending, reasons } = outcomes;
  const scheduled = complete.length + ran.length + failed.length + pending.length;
  if (scheduled === 0) return "Did not schedule any tasks";
  return [
    `Scheduled ${scheduled} tasks of which:`,
    ...section(complete, "complete ones were encountered", 0),
    ...section(ran, "ran successfully", 0),
    ...section(failed, "failed", 0),
    ...(pending.length === 0 ? [] : [`* ${pending.length} were left pending, among these:`]),
    ...PENDING_TEXTS.flatMap(([reason, text]) => section(reasons[reason], text, 4)),
    "",
    ...(ran.length + failed.length === 0 ? ["Did not run any tasks"] : []),
    progressLine(outcomes),
  ].join("\n");
}

function section(tasks: readonly Task[], text: string, indent: number): string[] {
  if (tasks.length === 0) return [];
  const heading = `${" ".repeat(indent)}* ${tasks.length} ${text}:`;
  return [heading, ...familyLines(tasks).map((line) => `${" ".repeat(indent + 4)}${line}`)];
}

/**
 * Luigi's order, with one difference: a retry that succeeded is good news only when nothing is left
 * (Luigi says ":)" even when external dependencies are missing).
 */
function progressLine({ failed, reasons, recovered }: Outcomes): string {
  const looks = (smiley: string, reason: string) =>
    `This progress looks ${smiley} because there were ${reason}`;
  if (failed.length > 0) return looks(":(", "failed tasks");
  if (reasons.running.length + reasons.waiting.length > 0) {
    return looks(":|", "tasks that were still running or waiting");
  }
  if (reasons.external.length > 0) return looks(":|", "missing external dependencies");
  if (recovered) return looks(":)", "failed tasks but they all succeeded in a retry");
  return looks(":)", "no failed tasks or missing dependencies");
}

/** What was not counted is left out. */
function totalsLine({ rows, bytes, seconds }: RunSummary): string {
  return [
    ...(rows > 0 ? [rowsText(rows)] : []),
    ...(bytes > 0 ? [bytesText(bytes)] : []),
    secondsText(seconds),
  ].join(" · ");
}

/** The last line of `sluice run --json`. */
export interface SummaryJson {
  /** The root's task id. */
  readonly root: string;
  /** `failed` when any task failed; `pending` when something else is left. */
  readonly status: "done" | "failed" | "pending";
  /** `done` counts the tasks that ran and those that were complete before. */
  readonly tasks: Readonly<Record<"done" | "ran" | "complete" | "failed" | "pending", number>>;
  readonly rows: number;
  readonly seconds: number;
}

export function summaryJson(summary: RunSummary): SummaryJson {
  const { root, complete, ran, failed, pending, rows, seconds } = summary;
  return {
    root: root.id,
    status: failed.length > 0 ? "failed" : pending.length > 0 ? "pending" : "done",
    tasks: {
      done: ran.length + complete.length,
      ran: ran.length,
      complete: complete.length,
      failed: failed.length,
      pending: pending.length,
    },
    rows,
    seconds: Math.round(seconds * 1000) / 1000,
  };
}
