/**
 * Which tasks an invalidation takes, for the preview: a task, on request all that needs it within a
 * root's graph (downstream) and all that it needs (upstream), as far as there is something to
 * invalidate. What is made elsewhere is never ours to remove. Writes nothing.
 */
import { UsageError } from "../core/errors.ts";
import { expand, inDependencyOrder, type Plan, type PlannedTask } from "../core/plan.ts";
import { boundOutputs, existingOutputs } from "../core/target.ts";
import type { Task } from "../core/task.ts";
import { concurrently } from "./concurrently.ts";
import { taskOfJob } from "./job.ts";
import { lookInRedis, withYielded } from "./look.ts";
import type { Workplace } from "./runtime.ts";

const CONCURRENT_CHECKS = 16;

export interface Selected {
  readonly task: Task;
  readonly running: boolean;
  /** Locations of its outputs that exist. */
  readonly outputs: readonly string[];
}

export interface SelectOptions {
  readonly signal: AbortSignal;
  /** The root within whose graph the dependents are looked for; absent: none are. */
  readonly downstreamIn?: Task | undefined;
  readonly upstream?: boolean;
}

/** In dependency order, requirements first. */
export async function selectForInvalidation(
  place: Workplace,
  task: Task,
  { signal, downstreamIn, upstream = false }: SelectOptions,
): Promise<readonly Selected[]> {
  if (task.family.kind === "external") {
    throw new UsageError(
      "EXTERNAL_TASK",
      `${task.name} is made elsewhere: remove it there, then use "sluice run --verify"`,
    );
  }
  const graph = await wholeGraph(place, downstreamIn ?? task);
  if (!graph.has(task.id)) {
    throw new UsageError(
      "NOT_IN_GRAPH",
      `${downstreamIn?.name} does not need ${task.name}: name a root that does with --of`,
    );
  }
  const wanted = new Set([task.id]);
  const ordered = inDependencyOrder(graph);
  if (downstreamIn !== undefined) addDependents(ordered, wanted);
  if (upstream) addRequirements(ordered, task.id, wanted);
  const selected = new Map<string, Selected>();
  const candidates = ordered.filter(
    ({ task: { id, family } }) => wanted.has(id) && family.kind !== "external",
  );
  await concurrently(CONCURRENT_CHECKS, candidates, async ({ task, state }) => {
    const outputs = (await existingOutputs({ task, stores: place.stores, signal })).map(
      ({ location }) => location,
    );
    const running = state === "running";
    if (state !== "complete" && !running && outputs.length === 0) return;
    refuseUnremovable(place, task, signal);
    selected.set(task.id, { task, running, outputs });
  });
  return ordered.flatMap(({ task: { id } }) => selected.get(id) ?? []);
}

/** The root that the task was first enqueued for, from its job; undefined when that is not known. */
export async function rootOf(
  { engine, project }: Workplace,
  task: Task,
): Promise<Task | undefined> {
  const text = await engine.redis.hget(engine.keys.job(task.family.queue, task.id), "data");
  if (text === null) return undefined;
  const { root } = taskOfJob(project, task.id, JSON.parse(text));
  if (root === task.id) return undefined;
  for (const queue of project.queues) {
    const data = await engine.redis.hget(engine.keys.job(queue, root), "data");
    if (data !== null) return taskOfJob(project, root, JSON.parse(data)).task;
  }
  return undefined;
}

/** Also below complete tasks; no output is asked for. */
async function wholeGraph(place: Workplace, root: Task): Promise<Plan["tasks"]> {
  return expand(
    [root],
    async (tasks) => withYielded(place, tasks, await lookInRedis(place, tasks)),
    { throughComplete: true },
  );
}

/** `ordered` has requirements first, so one pass finds the dependents of dependents. */
function addDependents(ordered: readonly PlannedTask[], wanted: Set<string>): void {
  for (const { task, requirements } of ordered) {
    if (requirements.some(({ id }) => wanted.has(id))) wanted.add(task.id);
  }
}

function addRequirements(ordered: readonly PlannedTask[], from: string, wanted: Set<string>): void {
  const above = new Set([from]);
  for (const { task, requirements } of ordered.toReversed()) {
    if (above.has(task.id)) for (const { id } of requirements) above.add(id);
  }
  for (const id of above) wanted.add(id);
}

function refuseUnremovable({ stores }: Workplace, task: Task, signal: AbortSignal): void {
  for (const output of boundOutputs({ task, stores, signal })) {
    if (output.remove !== undefined) continue;
    throw new UsageError(
      "OUTPUT_KEPT",
      `${task.name}: its output ${output.location} cannot be removed by Sluice (its target has no remove()): remove it by hand, then use "sluice run --verify"`,
      { fields: { task: task.id } },
    );
  }
}
