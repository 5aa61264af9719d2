/** What `sluice show` says of a task below its name and state. Prints nothing. */
import type { Task } from "../core/task.ts";
import type { AttemptState, RecordedAttempt } from "../queue/history/attempt.ts";
import type { RecordedRun } from "../queue/history/runs.ts";
import type { OutputFacts } from "../queue/outputs-of.ts";
import { bytesText, countText, rowsText, secondsText } from "./quantity.ts";
import { timeText } from "./time-text.ts";

export interface TaskFacts {
  readonly task: Task;
  /** As text, secrets masked. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly outputs: readonly OutputFacts[];
  readonly rows: number | undefined;
  readonly bytes: number | undefined;
  readonly attempts: readonly RecordedAttempt[];
  readonly runs: readonly RecordedRun[];
}

/** The latest are shown; `--json` has all. */
const MOST_ATTEMPTS = 10;

const OUTCOMES: Readonly<Record<AttemptState, string>> = {
  succeeded: "succeeded",
  retrying: "failed, tried again",
  failed: "failed",
  blocked: "waited for what it yielded",
  returned: "handed back by a worker that stopped",
  superseded: "taken over by another attempt",
  running: "running",
  lost: "lost: its worker died",
};

export function taskLines(facts: TaskFacts): string[] {
  const { task, parameters, outputs, rows, bytes, attempts, runs } = facts;
  const given = Object.entries(parameters);
  const width = Math.max(...given.map(([name]) => name.length), 0);
  const moved = [
    ...(rows === undefined ? [] : [rowsText(rows)]),
    ...(bytes === undefined ? [] : [bytesText(bytes)]),
  ];
  return [
    "",
    `id       ${task.id}`,
    `queue    ${task.family.queue}`,
    ...(moved.length === 0 ? [] : [`answer   ${moved.join(", ")}`]),
    ...section(
      "parameters",
      given.map(([name, text]) => `${name.padEnd(width)}  ${text}`),
    ),
    ...section("outputs", outputs.map(outputLine)),
    ...section(
      `attempts (${attempts.length})`,
      attempts.slice(-MOST_ATTEMPTS).flatMap(attemptLines),
    ),
    ...section("runs of it as root, latest first", runs.map(runLine)),
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", `${title}:`, ...lines.map((line) => `  ${line}`)];
}

function outputLine({ location, exists, problem }: OutputFacts): string {
  if (exists === null) return `unknown  ${location}: ${problem}`;
  return `${exists ? "exists " : "missing"}  ${location}`;
}

function attemptLines({
  started,
  outcome,
  seconds,
  worker,
  version,
  rows,
  error,
}: RecordedAttempt): string[] {
  const facts = [
    OUTCOMES[outcome],
    ...(seconds === undefined ? [] : [secondsText(seconds)]),
    ...(rows === undefined ? [] : [rowsText(rows)]),
  ];
  const where = [worker, version].filter((each) => each !== undefined);
  return [
    `${timeText(started)}  ${facts.join(", ")}`,
    ...(where.length === 0 ? [] : [`  on ${where.join(", code ")}`]),
    ...(error === undefined
      ? []
      : `${error.code}: ${error.message}`
          .trimEnd()
          .split("\n")
          .map((line) => `  ${line}`)),
  ];
}

/** `2026-11-22 02:30:00Z  run by schedule AllTasks, found 30 absent, 2 complete` */
export function runLine({ at, kind, by, found }: RecordedRun): string {
  const states = Object.entries(found).map(([state, count]) => `${countText(count)} ${state}`);
  return `${timeText(at)}  ${kind} by ${by}, found ${states.join(", ")}`;
}
