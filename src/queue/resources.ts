/**
 * Named resources: how many units are in use, by whom, who waits for them, and their limits, which can
 * be changed while tasks run. Units are taken and given back in the scripts of the lease.
 */
import type { Project } from "../core/config.ts";
import type { Task } from "../core/task.ts";
import type { Engine } from "./engine.ts";

/** What a task needs, as the scripts read it: `name units limit`, with the limit of the project. */
export function needsOf({ resources }: Project, { family }: Task): string {
  return family.resources
    .map(({ name, units }) => `${name} ${units} ${resources.get(name) ?? 0}`)
    .join(" ");
}

/** Lets those begin who wait for these units and can begin now. */
export async function callWaiting({ keys, scripts }: Engine, needs: string): Promise<void> {
  if (needs !== "") await scripts.call("call", keys.own, needs);
}
