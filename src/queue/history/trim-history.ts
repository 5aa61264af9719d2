/** Deletes what is older than a limit from history: tasks by their last attempt, runs by their time. */
import type { Engine } from "../engine.ts";

/** Tasks a call: 1000 take about 2 ms of Redis. */
const TASKS_PER_CALL = 1000;
const DAY = 86_400_000;

/** Returns how many tasks were forgotten. Safe from many processes at once. */
export async function trimHistory(
  engine: Engine,
  { days, now = Date.now() }: { readonly days: number; readonly now?: number },
): Promise<number> {
  const { redis, keys, scripts } = engine;
  const oldest = now - days * DAY;
  let tasks = 0;
  for (;;) {
    const prefix = keys.history("task:");
    const trimmed = await scripts.call(
      "trim",
      keys.history("tasks"),
      prefix,
      oldest,
      TASKS_PER_CALL,
    );
    tasks += trimmed;
    if (trimmed < TASKS_PER_CALL) break;
  }
  await redis.xtrim(keys.history("runs"), "MINID", oldest);
  return tasks;
}
