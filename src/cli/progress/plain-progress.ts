/**
 * Progress as one line for each transition of a task, in the order in which transitions were seen; of those
 * that were seen together, a task's requirements come first.
 */
import type { TaskState } from "../../core/plan.ts";
import type { Watched, WatchedTask } from "../../queue/watch.ts";
import type { Details } from "../../queue/details.ts";
import { rowsText } from "../quantity.ts";
import { oneLine } from "./one-line.ts";
import type { Progress, ProgressStream, TaskDetails } from "./progress.ts";

/** More complete tasks than this at the first look are one line. */
const MOST_COMPLETE_LINES = 20;

export class PlainProgress implements Progress {
  readonly #stream: ProgressStream;
  readonly #clock: () => number;
  readonly #states = new Map<string, TaskState>();

  constructor(stream: ProgressStream, clock: () => number) {
    this.#stream = stream;
    this.#clock = clock;
  }

  readonly update = (watched: Watched, details: TaskDetails = new Map()): void => {
    const lines: string[] = [];
    const complete: string[] = [];
    const changed = new Map(
      [...watched].filter(([id, { state }]) => this.#states.get(id) !== state),
    );
    for (const each of requirementsFirst(changed)) {
      const { id } = each.task;
      const previous = this.#states.get(id);
      this.#states.set(id, each.state);
      if (each.state === "complete" && each.before === "complete") complete.push(each.task.name);
      const change = transition(each, previous, details.get(id));
      if (change !== undefined) lines.push(`${oneLine(each.task.name)} ${change}`);
    }
    const already =
      complete.length > MOST_COMPLETE_LINES
        ? [`${complete.length} tasks complete already`]
        : complete.map((name) => `${oneLine(name)} complete already`);
    const time = timeOfDay(this.#clock());
    // One write, so that lines of other processes do not come between.
    const text = [...already, ...lines].map((line) => `${time} ${line}\n`).join("");
    if (text !== "") this.#stream.write(text);
  };

  readonly note = (line: string): void => {
    this.#stream.write(`${line}\n`);
  };

  readonly close = (): void => {};
}

/**
 * Not `inDependencyOrder`: these are some tasks of the graph, and what was seen at different moments may
 * have a circle, which is no reason to stop. With a stack of its own: a chain may be longer than that of calls.
 */
function requirementsFirst(tasks: Watched): Iterable<WatchedTask> {
  const ordered = new Map<string, WatchedTask>();
  const entered = new Set<string>();
  const stack = [...tasks.values()].reverse();
  for (let each = stack.pop(); each !== undefined; each = stack.pop()) {
    const { id } = each.task;
    if (ordered.has(id)) continue;
    if (entered.has(id)) {
      ordered.set(id, each);
      continue;
    }
    entered.add(id);
    stack.push(each);
    for (const requirement of each.requirements.toReversed()) {
      const below = tasks.get(requirement.id);
      if (below !== undefined && !entered.has(requirement.id)) stack.push(below);
    }
  }
  return ordered.values();
}

/** What there is to say about a task that has come into a state; undefined: nothing. */
function transition(
  { task, before, state }: WatchedTask,
  previous: TaskState | undefined,
  details: Details = {},
): string | undefined {
  const { rows, message } = details;
  if (state === "running") return "running";
  if (state === "failed") return message === undefined ? "failed" : `failed: ${oneLine(message)}`;
  if (state === "complete" && before !== "complete") {
    return rows === undefined ? "ran" : `ran, ${rowsText(rows)}`;
  }
  if (state === "delayed") {
    if (task.family.kind === "external") return "does not exist yet, waiting for it";
    return previous === "running" ? "will be tried again" : undefined;
  }
  return undefined;
}

/** `13:02:11`, in the zone of the machine, as logs around it have it. */
function timeOfDay(milliseconds: number): string {
  return new Date(milliseconds).toTimeString().slice(0, 8);
}
