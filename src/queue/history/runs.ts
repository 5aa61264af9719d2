/** Runs: who asked for a root, when, and what the plan found. Recording one never fails anything. */
import { z } from "zod";
import type { Plan } from "../../core/plan.ts";
import type { Engine } from "../engine.ts";

const run = z.object({
  /** `retry`: failed tasks below the root got fresh attempts. */
  kind: z.enum(["run", "retry"]),
  root: z.string(),
  name: z.string(),
  /** `ann@host`, or the schedule: `schedule AllTasks`. */
  by: z.string(),
  /** Tasks by the state in which the plan found them. */
  found: z.record(z.string(), z.number()),
});

export interface RecordedRun extends z.output<typeof run> {
  readonly id: string;
  /** Milliseconds since 1970, by the clock of Redis. */
  readonly at: number;
}

/** Runs in Redis at most, beside the limit by age. */
const MOST_RUNS = 100_000;

export async function recordRun(
  { redis, keys }: Engine,
  plan: Plan,
  { kind, by }: { readonly kind: RecordedRun["kind"]; readonly by: string },
): Promise<void> {
  const found: Record<string, number> = {};
  for (const { state } of plan.tasks.values()) found[state] = (found[state] ?? 0) + 1;
  const text = JSON.stringify({ kind, root: plan.root.id, name: plan.root.name, by, found });
  await redis
    .xadd(keys.history("runs"), "MAXLEN", "~", MOST_RUNS, "*", "run", text)
    .catch(() => {});
}

/** The latest runs, newest first; of one root, when it is given. */
export async function readRuns(
  { redis, keys }: Engine,
  options: { readonly limit: number; readonly root?: string },
): Promise<RecordedRun[]> {
  const found: RecordedRun[] = [];
  let before = "+";
  for (;;) {
    const page = await redis.xrevrange(keys.history("runs"), before, "-", "COUNT", 500);
    for (const [id, [, text = "{}"]] of page) {
      const read = run.safeParse(JSON.parse(text)).data;
      if (read === undefined || (options.root ?? read.root) !== read.root) continue;
      found.push({ ...read, id, at: Number(id.split("-")[0]) });
      if (found.length === options.limit) return found;
    }
    const last = page.at(-1)?.[0];
    if (last === undefined) return found;
    before = `(${last}`;
  }
}
