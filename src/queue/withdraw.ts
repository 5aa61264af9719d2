/**
 * Withdraws the records of tasks whose outputs a plan found missing, so that they run again. What an
 * attempt is at work on, or was invalidated or completed since the look, is left as it is now.
 */
import type { Plan, PlannedTask } from "../core/plan.ts";
import { chunk } from "./chunk.ts";
import type { Engine } from "./engine.ts";
import { lookInRedis } from "./look.ts";
import type { Workplace } from "./runtime.ts";

const TASKS_PER_CALL = 1000;

/** The plan, with the states that its missing tasks have now. */
export async function withdrawMissing(place: Workplace, plan: Plan): Promise<Plan> {
  const missing = [...plan.tasks.values()].filter(({ state }) => state === "absent");
  for (const part of chunk(missing, TASKS_PER_CALL)) await withdraw(place.engine, "", part);
  const known = await lookInRedis(
    place,
    missing.map(({ task }) => task),
  );
  const tasks = new Map(plan.tasks);
  for (const [index, planned] of missing.entries()) {
    tasks.set(planned.task.id, { ...planned, ...known[index] });
  }
  return { root: plan.root, tasks };
}

/** One code a task; `lua/withdraw.lua` says which. */
export async function withdraw(
  { keys, scripts }: Engine,
  invalidation: string,
  tasks: readonly (Pick<PlannedTask, "task"> & { readonly generation?: number })[],
): Promise<readonly string[]> {
  const args = tasks.flatMap(({ task: { family, id }, generation = "" }) => [
    keys.job(family.queue, id),
    id,
    generation,
  ]);
  return scripts.call("withdraw", keys.own, invalidation, ...args);
}
