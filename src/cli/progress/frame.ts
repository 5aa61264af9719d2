/**
 * One picture of a run, as lines that fit the terminal: the root, a bar a family, what failed, what
 * runs. Pure. Colour never says something that the text does not.
 */
import type { Task } from "../../core/task.ts";
import { clockText, countText, rowsText } from "../quantity.ts";
import { displayWidth, truncate } from "./display-width.ts";
import { oneLine } from "./one-line.ts";
import type { TaskDetails } from "./progress.ts";
import type { FamilyTally, Tally } from "./tally.ts";

export interface FrameLine {
  /** With colours. */
  readonly text: string;
  /** In columns. */
  readonly width: number;
}

export interface FrameInput {
  readonly root: Task;
  readonly tally: Tally;
  readonly details: TaskDetails;
  /** Seconds since the run began. */
  readonly elapsed: number;
  /** Seconds since a running task was first seen running, by task id. */
  readonly runningFor: (id: string) => number;
  readonly columns: number;
  readonly rows: number;
}

const MOST_FAMILIES = 8;
const MOST_FAILED = 3;
const MOST_RUNNING = 5;
const LONGEST_FAMILY = 28;
/** `  name  bar 5/6  2 running` without the name and the bar. */
const ROOM_FOR_COUNTS = 19;

type Style = "bold" | "dim" | "red" | "green" | "cyan";
const CODES: Readonly<Record<Style, number>> = { bold: 1, dim: 2, red: 31, green: 32, cyan: 36 };

interface Span {
  readonly text: string;
  readonly style?: Style;
}

export function frame(input: FrameInput): FrameLine[] {
  const { root, tally, elapsed, columns, rows } = input;
  // The last column stays free: a terminal wraps when it is written to.
  const width = columns - 1;
  const counts = `${countText(tally.complete)}/${countText(tally.total)}`;
  const title = { text: oneLine(root.name), style: "bold" } as const;
  return [
    headAndTail(title, [counts, clockText(elapsed)], width),
    ...familyLines(tally.families, width),
    ...failedLines(input, width),
    ...runningLines(input, width),
  ].slice(0, Math.max(1, rows - 1));
}

function familyLines(families: readonly FamilyTally[], width: number): FrameLine[] {
  const shown = mostInteresting(families);
  const barWidth = width >= 60 ? 10 : width >= 36 ? 6 : 0;
  const longest = Math.max(0, ...shown.map(({ name }) => displayWidth(name)));
  const room = width - barWidth - ROOM_FOR_COUNTS;
  const nameWidth = Math.max(4, Math.min(longest, LONGEST_FAMILY, room));
  const lines = shown.map((family) => fit(familySpans(family, nameWidth, barWidth), width));
  const hidden = families.length - shown.length;
  if (hidden === 0) return lines;
  return [...lines, fit([{ text: `  … and ${hidden} more families`, style: "dim" }], width)];
}

/** When not all have room: those with failures, with running tasks, unfinished ones, then the rest. */
function mostInteresting(families: readonly FamilyTally[]): readonly FamilyTally[] {
  if (families.length <= MOST_FAMILIES) return families;
  const rank = ({ failed, running, complete, total }: FamilyTally) =>
    failed > 0 ? 0 : running > 0 ? 1 : complete < total ? 2 : 3;
  const chosen = new Set([...families].sort((a, b) => rank(a) - rank(b)).slice(0, MOST_FAMILIES));
  return families.filter((family) => chosen.has(family));
}

function familySpans(family: FamilyTally, nameWidth: number, barWidth: number): Span[] {
  const { name, total, complete, running, failed } = family;
  const short = truncate(name, nameWidth);
  const padding = " ".repeat(nameWidth - displayWidth(short));
  // A bar is full only when everything is complete, and empty only when nothing is.
  const share = Math.floor((complete / total) * barWidth);
  const filled = complete > 0 ? Math.max(share, Math.min(1, barWidth)) : 0;
  return [
    { text: `  ${short}${padding}  ` },
    { text: "█".repeat(filled), style: failed > 0 ? "red" : "green" },
    { text: "░".repeat(barWidth - filled), style: "dim" },
    { text: `${barWidth > 0 ? " " : ""}${countText(complete)}/${countText(total)}` },
    ...(failed > 0 ? [{ text: `  ${countText(failed)} failed`, style: "red" } as const] : []),
    ...(running > 0 ? [{ text: `  ${countText(running)} running`, style: "cyan" } as const] : []),
  ];
}

function failedLines({ tally, details }: FrameInput, width: number): FrameLine[] {
  const lines = tally.failed.slice(0, MOST_FAILED).map((task) => {
    const message = details.get(task.id)?.message;
    const reason = message === undefined ? "" : `: ${message}`;
    return fit([{ text: `  ✗ ${oneLine(`${task.name} failed${reason}`)}`, style: "red" }], width);
  });
  return [...lines, ...more(tally.failed.length - lines.length, "failed", width)];
}

function runningLines({ tally, details, runningFor }: FrameInput, width: number): FrameLine[] {
  const lines = tally.running.slice(0, MOST_RUNNING).map((task) => {
    const { rows, message } = details.get(task.id) ?? {};
    const tail = [
      ...(message === undefined ? [] : [truncate(oneLine(message), Math.floor(width / 3))]),
      ...(rows === undefined ? [] : [rowsText(rows)]),
      clockText(runningFor(task.id)),
    ];
    return headAndTail({ text: `  ▸ ${oneLine(task.name)}` }, tail, width);
  });
  return [...lines, ...more(tally.running.length - lines.length, "running", width)];
}

function more(count: number, what: string, width: number): FrameLine[] {
  if (count <= 0) return [];
  return [fit([{ text: `  … and ${countText(count)} more ${what}`, style: "dim" }], width)];
}

/** The head is cut before the tail is; of the tail, the first parts go first. */
function headAndTail(head: Span, tail: readonly string[], width: number): FrameLine {
  const kept = [...tail];
  const text = () => kept.map((part) => `  ${part}`).join("");
  while (kept.length > 1 && displayWidth(text()) > width / 2) kept.shift();
  const room = Math.max(0, width - displayWidth(text()));
  return fit(
    [
      { ...head, text: truncate(head.text, room) },
      { text: text(), style: "dim" },
    ],
    width,
  );
}

/** Spans as one line, cut at the width. */
function fit(spans: readonly Span[], width: number): FrameLine {
  let used = 0;
  let line = "";
  for (const { text, style } of spans) {
    const cut = truncate(text, width - used);
    if (cut === "") continue;
    used += displayWidth(cut);
    line += style === undefined ? cut : `\x1b[${CODES[style]}m${cut}\x1b[0m`;
  }
  return { text: line, width: used };
}
