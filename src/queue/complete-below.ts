/**
 * What is complete below the complete tasks of a plan. Planning never looks there; a person who reads
 * "everything is complete" wants to know how much that is.
 */
import type { Plan } from "../core/plan.ts";
import { requirementsOf, type Task } from "../core/task.ts";
import { lookInRedis } from "./look.ts";
import type { Workplace } from "./runtime.ts";

/** Tasks that the plan does not have, recorded as complete, reached through complete tasks only. */
export async function completeBelow(
  place: Pick<Workplace, "engine" | "project">,
  plan: Plan,
): Promise<readonly Task[]> {
  const seen = new Set(plan.tasks.keys());
  const found: Task[] = [];
  let level = [...plan.tasks.values()]
    .filter(({ state }) => state === "complete")
    .map(({ task }) => task);
  while (level.length > 0) {
    const below: Task[] = [];
    for (const task of level) {
      for (const requirement of requirementsOf(task)) {
        if (seen.has(requirement.id)) continue;
        seen.add(requirement.id);
        below.push(requirement);
      }
    }
    const states = await lookInRedis(place, below);
    level = below.filter((_, index) => states[index]?.state === "complete");
    found.push(...level);
  }
  return found;
}
