/** The reasons of `sluice why` as sentences. Prints nothing. */
import type { Task } from "../core/task.ts";
import type { Reason, Why } from "../queue/why.ts";
import type { CommandFor } from "./command-line.ts";
import { bytesText, countText, rowsText } from "./quantity.ts";
import { timeAndDistance } from "./time-text.ts";

/** Line by line. */
export function explainWhy(task: Task, { reasons }: Why, commandFor: CommandFor): string[] {
  return [task.name, ...reasons.flatMap((reason) => reasonLines(task, reason, commandFor, "  "))];
}

function reasonLines(task: Task, reason: Reason, commandFor: CommandFor, indent: string): string[] {
  const [first, ...more] = sentences(task, reason, commandFor);
  const lines = [`${indent}${first}`, ...more.map((line) => `${indent}  ${line}`)];
  if (reason.kind !== "blocked") return lines;
  for (const [index, cause] of reason.causes.entries()) {
    lines.push(`${indent}${index + 1}. ${cause.task.name}`);
    for (const each of cause.reasons) {
      lines.push(...reasonLines(cause.task, each, commandFor, `${indent}   `));
    }
  }
  return lines;
}

function sentences(task: Task, reason: Reason, commandFor: CommandFor): string[] {
  switch (reason.kind) {
    case "not-planned":
      return notPlanned(task, reason.missing, commandFor);
    case "complete":
      return [completeText(reason)];
    case "blocked":
      return [
        reason.causes.length === 0
          ? "blocked, and nothing that it needs is open: it is being released. If it stays, run it again"
          : `blocked: ${openText(reason.open)} not complete, because of`,
      ];
    case "failed":
      return [
        `failed${reason.at === null ? "" : ` ${timeAndDistance(reason.at)}`}, after ${times(reason.attempts)}`,
        ...reason.error.trimEnd().split("\n"),
        `retry it: ${commandFor("retry", task)}`,
      ];
    case "delayed":
      return delayed(reason);
    case "paused":
      return [`the queue "${reason.queue}" is paused: resume it in the dashboard`];
    case "no-worker":
      return [
        `no live worker for the queue "${reason.queue}": start one with "sluice worker --queues ${reason.queue}"`,
      ];
    case "waiting":
      return [
        reason.behind === 0
          ? `next in the queue "${reason.queue}"`
          : `waiting behind ${countText(reason.behind)} in the queue "${reason.queue}"`,
      ];
    case "running":
      break;
  }
  return [runningText(reason)];
}

function notPlanned(
  task: Task,
  missing: readonly string[] | null,
  commandFor: CommandFor,
): string[] {
  if (task.family.kind === "external") {
    return [
      "not planned: no run that is in the queue needs it; something else makes it",
      ...(missing ?? []).map((location) => `missing: ${location}`),
    ];
  }
  if (missing?.length === 0) {
    return ["complete by its output, which exists; the next run takes note of it"];
  }
  return [
    "not planned: no run has asked for it",
    ...(missing ?? []).map((location) => `missing: ${location}`),
    `run it: ${commandFor("run", task)}`,
  ];
}

function completeText({ at, attempt }: Extract<Reason, { kind: "complete" }>): string {
  if (at === null) return "complete: all that it needs is";
  const by = attempt === null ? "its output was found" : `by attempt ${attempt}`;
  return `complete since ${timeAndDistance(at)}, ${by}`;
}

function delayed(reason: Extract<Reason, { kind: "delayed" }>): string[] {
  const until = `delayed until ${timeAndDistance(reason.until)}`;
  switch (reason.cause) {
    case "external":
      return [`${until}: made elsewhere and missing; then its output is looked for again`];
    case "lease":
      return [`${until}: another attempt holds its lease`];
    case "retry":
      break;
  }
  return [
    `${until}: attempt ${reason.attempt} of ${reason.attempts}`,
    ...(reason.error ?? "").trimEnd().split("\n").filter(Boolean),
  ];
}

function runningText({ worker, since, progress }: Extract<Reason, { kind: "running" }>): string {
  const { rows, bytes, message } = progress;
  const soFar = [
    ...(rows === undefined ? [] : [rowsText(rows)]),
    ...(bytes === undefined ? [] : [bytesText(bytes)]),
    ...(message === undefined ? [] : [message]),
  ].join(", ");
  const where = worker === null ? "" : ` on ${worker}`;
  const when = since === null ? "" : ` since ${timeAndDistance(since)}`;
  return `running${where}${when}${soFar === "" ? "" : `: ${soFar}`}`;
}

function openText(open: number): string {
  return open === 1 ? "1 task that it needs is" : `${countText(open)} tasks that it needs are`;
}

function times(attempts: number): string {
  return attempts === 1 ? "1 attempt" : `${attempts} attempts`;
}
