/**
 * Many tasks in a few lines, in the form of Luigi's execution summary (3.8.1): one line a family,
 * `3 Leaf(n=1,2,5)`, `10 Leaf(n=0...9)`, `10 Day(date=2026-11-01...2026-11-10, n=5)`. The thresholds
 * are Luigi's. Only significant parameters are shown, as in a task's name: Luigi shows the others in
 * ranges too, which is how an access key gets into a summary.
 */
import { isSignificant } from "../core/params/codec.ts";
import type { Task } from "../core/task.ts";
import { compareCodePoints } from "../core/task-id.ts";
import { nextText } from "./next-value.ts";

/** Families of one list; what follows is `...`. */
const MOST_FAMILIES = 5;

/** One line a family, sorted by name, without indentation; after five families one line `...`. */
export function familyLines(tasks: readonly Task[], most = MOST_FAMILIES): string[] {
  const families = new Map<string, Task[]>();
  for (const task of tasks) {
    const known = families.get(task.family.name);
    if (known === undefined) families.set(task.family.name, [task]);
    else known.push(task);
  }
  const names = [...families.keys()].sort(compareCodePoints);
  const lines = names
    .slice(0, most)
    .map((name) => `- ${familyLine(name, families.get(name) ?? [])}`);
  return names.length > most ? [...lines, "..."] : lines;
}

function familyLine(family: string, unsorted: readonly Task[]): string {
  const tasks = [...unsorted].sort((a, b) => compareCodePoints(a.name, b.name));
  const [first, second] = tasks;
  const count = tasks.length;
  if (first === undefined) return `0 ${family}()`;
  const params = Object.entries(first.family.params)
    .filter(([, codec]) => isSignificant(codec))
    .map(([name]) => name);
  const [param] = params;

  if (param === undefined) return `${count} ${family}()`;
  if (isTooLong(first, params, count)) return `${count} ${family}(...)`;
  if (params.length === 1) {
    const texts = rangeOf(tasks, param, 4) ?? listOf(tasks, param);
    return `${count} ${family}(${param}=${texts})`;
  }
  const ranged = rangeOfOneParam(tasks, params);
  if (ranged !== undefined) return `${count} ${family}(${ranged})`;
  if (second === undefined) return `1 ${first.name}`;
  return count === 2 ? `2 ${first.name} and ${second.name}` : `${count} ${first.name} ...`;
}

function isTooLong({ name }: Task, params: readonly string[], count: number): boolean {
  const names = lengthOf(params.join(""));
  if (names > 60 || lengthOf(name) > 200) return true;
  return count === 2 && params.length > 1 && (names > 40 || lengthOf(name) > 100);
}

/** Python counts code points. */
function lengthOf(text: string): number {
  return Array.from(text).length;
}

/** `date=2026-11-01...2026-11-10, n=5`, as names are written, where just one varies without gaps. */
function rangeOfOneParam(tasks: readonly Task[], params: readonly string[]): string | undefined {
  const varying = params.filter((param) => textsOf(tasks, param).size > 1);
  const [only] = varying;
  if (only === undefined || varying.length > 1) return undefined;
  const range = rangeOf(tasks, only, 3);
  if (range === undefined) return undefined;
  return params
    .map((param) => [param, param === only ? range : (tasks[0]?.texts[param] ?? "")])
    .filter(([, text]) => text !== "")
    .map(([param, text]) => `${param}=${text}`)
    .join(", ");
}

/** `0...9` for at least so many values that follow each other without a gap. */
function rangeOf(tasks: readonly Task[], param: string, atLeast: number): string | undefined {
  const texts = textsOf(tasks, param);
  if (texts.size < atLeast) return undefined;
  const followers = new Map(tasks.map((task) => [nextText(task, param), task.texts[param]]));
  const starts = [...texts].filter((text) => !followers.has(text));
  const beyond = [...followers.keys()].filter((next) => next === undefined || !texts.has(next));
  const [next] = beyond;
  if (starts.length !== 1 || beyond.length !== 1 || next === undefined) return undefined;
  return `${starts[0]}...${followers.get(next)}`;
}

/** `1,2,3`, cut where it gets long; the last of all is shown when it is the next one. */
function listOf(tasks: readonly Task[], param: string): string {
  let row = "";
  for (const [index, task] of tasks.entries()) {
    const isLast = index === tasks.length - 1;
    const length = lengthOf(row);
    if ((length >= 30 && index > 2 && !isLast) || length > 200) return `${row}...`;
    row += task.texts[param] ?? "";
    if (!isLast) row += ",";
  }
  return row;
}

function textsOf(tasks: readonly Task[], param: string): ReadonlySet<string> {
  return new Set(tasks.map((task) => task.texts[param] ?? ""));
}
