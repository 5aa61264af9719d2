/** What a picture of a run needs of its tasks, counted once a look instead of once a frame. */
import type { Task } from "../../core/task.ts";
import type { Watched } from "../../queue/watch.ts";

export interface FamilyTally {
  readonly name: string;
  readonly total: number;
  readonly complete: number;
  readonly running: number;
  readonly failed: number;
}

export interface Tally {
  /** The last seen first: watching goes from the root downwards, and data flows up to it. */
  readonly families: readonly FamilyTally[];
  readonly total: number;
  readonly complete: number;
  readonly running: readonly Task[];
  readonly failed: readonly Task[];
}

export const NOTHING: Tally = { families: [], total: 0, complete: 0, running: [], failed: [] };

export function tally(watched: Watched): Tally {
  const families = new Map<string, { -readonly [K in keyof FamilyTally]: FamilyTally[K] }>();
  const running: Task[] = [];
  const failed: Task[] = [];
  let complete = 0;
  for (const { task, state } of watched.values()) {
    const { name } = task.family;
    const family = families.get(name) ?? { name, total: 0, complete: 0, running: 0, failed: 0 };
    families.set(name, family);
    family.total += 1;
    if (state === "complete" || state === "running" || state === "failed") family[state] += 1;
    if (state === "complete") complete += 1;
    if (state === "running") running.push(task);
    if (state === "failed") failed.push(task);
  }
  return {
    families: [...families.values()].reverse(),
    total: watched.size,
    complete,
    running,
    failed,
  };
}
