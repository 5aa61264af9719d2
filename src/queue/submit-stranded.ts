/**
 * Finds jobs that wait for requirements although the root that they were enqueued for is complete, and
 * submits their tasks again. No plan looks below a complete task, so nobody else would: a Redis that
 * came back with an older state, or with half of a script, may have such jobs, while what is above them
 * was found complete by its outputs. What waits below an open root is left to the submits of that root.
 */
import { z } from "zod";
import type { Project } from "../core/config.ts";
import { SluiceError } from "../core/errors.ts";
import { expand, type Plan, type PlannedTask } from "../core/plan.ts";
import type { Task } from "../core/task.ts";
import type { Engine } from "./engine.ts";
import { taskOfJob } from "./job.ts";
import { look, type LookOptions } from "./look.ts";
import { retryFailed } from "./retry-failed.ts";
import type { Workplace } from "./runtime.ts";
import { enqueue, linkCall } from "./submit.ts";

/** Jobs a round trip. */
const JOBS_A_LOOK = 1000;

/** Returns the tasks of the jobs that it found; not those that a submit has `planned`, and linked, just now. */
export async function submitStranded(
  place: Workplace,
  { signal }: LookOptions,
  planned: Plan["tasks"] = new Map(),
): Promise<readonly Task[]> {
  const { engine } = place;
  const stranded = await findStranded(place, planned);
  for (const [root, found] of stranded) {
    const tasks = await expand(found, (part) => look(place, part, { signal }));
    await enqueue(place, tasks, root);
    // Of those that turn out to be complete only the job is left: released, it ends at its gate.
    const complete = found.filter(({ id }) => tasks.get(id)?.state === "complete");
    await engine.scripts.callAll(complete.map((task) => linkCall(engine, task, [], true)));
    await retryFailed(engine, tasks, ["completed"]);
  }
  return [...stranded.values()].flat();
}

/** By the id of the root. */
async function findStranded(
  { engine, project }: Workplace,
  planned: Plan["tasks"],
): Promise<ReadonlyMap<string, readonly Task[]>> {
  const { redis, keys } = engine;
  const stranded = new Map<string, Task[]>();
  const complete = new Map<string, boolean>();
  for (const queue of project.queues) {
    for await (const page of waitingIds(engine, queue)) {
      const ids = page.filter((id) => !isLinked(planned.get(id)));
      const texts = await Promise.all(ids.map((id) => redis.hget(keys.job(queue, id), "data")));
      for (const [index, id] of ids.entries()) {
        const data = parse(texts[index] ?? "");
        const root = withRoot.safeParse(data).data?.root;
        if (root === undefined) continue;
        const isComplete = complete.get(root) ?? (await redis.exists(keys.done(root))) === 1;
        complete.set(root, isComplete);
        const task = isComplete ? buildTask(project, id, data) : undefined;
        if (task === undefined) continue;
        const siblings = stranded.get(root);
        if (siblings === undefined) stranded.set(root, [task]);
        else siblings.push(task);
      }
    }
  }
  return stranded;
}

function isLinked(planned: PlannedTask | undefined): boolean {
  return planned?.state === "blocked" || planned?.state === "absent";
}

/** Of the jobs in `waiting-children`, page by page; those that come or go meanwhile may be left out. */
async function* waitingIds({ redis, keys }: Engine, queue: string): AsyncGenerator<string[]> {
  const key = `${keys.queue(queue)}:waiting-children`;
  let cursor = "0";
  do {
    const [next, entries] = await redis.zscan(key, cursor, "COUNT", JOBS_A_LOOK);
    // Each is followed by its score.
    yield entries.filter((_, index) => index % 2 === 0);
    cursor = next;
  } while (cursor !== "0");
}

const withRoot = z.object({ root: z.string() });

/** Undefined when it is no JSON: somebody else wrote it. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Undefined when another version of the project has to. */
function buildTask(project: Project, id: string, data: unknown): Task | undefined {
  try {
    return taskOfJob(project, id, data).task;
  } catch (error) {
    if (error instanceof SluiceError) return undefined;
    throw error;
  }
}
