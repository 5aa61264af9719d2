/** The reasons of `sluice why` as sentences. Prints nothing. */
import type { Task } from "../core/task.ts";
import type { TickRetries } from "../queue/tick-retries.ts";
import type { Reason, Why } from "../queue/why.ts";
import type { CommandFor } from "./command-line.ts";
import { bytesText, countText, rowsText } from "./quantity.ts";
import { timeAndDistance } from "./time-text.ts";

/** Named of those who hold a resource; "sluice resources" names all. */
const MOST_HOLDERS = 5;

/** Line by line. */
export function explainWhy(task: Task, { reasons }: Why, commandFor: CommandFor): string[] {
  return [task.name, ...reasons.flatMap((reason) => reasonLines(task, reason, commandFor, "  "))];
}

function reasonLines(task: Task, reason: Reason, commandFor: CommandFor, indent: string): string[] {
  const [first, ...more] = sentences(task, reason, commandFor);
  if (first === undefined) return [];
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
    case "ticks":
      return [ticksText(reason.ticks)].filter((line) => line !== undefined);
    case "other-version":
      return [`${reason.error}. It is looked at again ${timeAndDistance(reason.until)}`];
    case "resource":
      return resourceText(reason);
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

/** What the scheduler still does about a failed task; undefined when there is none. */
export function ticksText(ticks: TickRetries): string | undefined {
  switch (ticks.kind) {
    case "held":
      return "held: somebody cancelled it, and no tick of the scheduler retries it";
    case "gave-up":
      return `given up: ticks of the scheduler have retried it ${countText(ticks.retried)} times, the most they may; a person has to`;
    case "retrying":
      return `ticks of the scheduler retry it: ${ticks.retried} of at most ${ticks.times} times so far`;
    case "none":
      break;
  }
  return undefined;
}

function resourceText({
  name,
  units,
  limit,
  inUse,
  holders,
  behind,
}: Extract<Reason, { kind: "resource" }>): string[] {
  const line = behind === 0 ? "next in line" : `behind ${countText(behind)} in line`;
  const first = `waits for ${units} of the resource ${name}: ${inUse} of ${limit} in use, ${line}`;
  if (units > limit) {
    return [
      first,
      limit === 0
        ? `its limit is 0, so nothing begins: raise it with "sluice resources set ${name} ${units}"`
        : `that is more than its limit, so it waits for ever: raise it with "sluice resources set ${name} ${units}"`,
    ];
  }
  return [first, ...holders.slice(0, MOST_HOLDERS).map((each) => `in use by ${each}`)];
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
