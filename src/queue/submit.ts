/**
 * Plans a root and puts what must run into BullMQ: one job a task, job id = task id, every edge a
 * member of BullMQ's own dependency set of the parent. Nested `FlowProducer.add` is not used: with a
 * shared child it silently drops edges (a parent then hangs for ever or runs too early).
 *
 * Idempotent, safe from many processes at once, and safe to die anywhere: running it again heals.
 */
import { setImmediate as turn } from "node:timers/promises";
import { Job } from "bullmq";
import { UsageError } from "../core/errors.ts";
import { expand, makePlan, type Plan, type PlannedTask } from "../core/plan.ts";
import type { RetryRule } from "../core/schedule.ts";
import type { Task } from "../core/task.ts";
import { chunk } from "./chunk.ts";
import { adoption } from "./completion.ts";
import type { Engine } from "./engine.ts";
import { jobDataOf, jobOptionsOf } from "./job.ts";
import { look, type LookOptions, lookInRedis } from "./look.ts";
import { retryFailed } from "./retry-failed.ts";
import type { Workplace } from "./runtime.ts";
import type { ScriptCall } from "./scripts.ts";
import { withdrawMissing } from "./withdraw.ts";

/**
 * Jobs that are sent together; Redis works on them while the next are made. With twice as many under
 * way, most of what is made for them outlives V8's nursery: 100 MB of RSS more for 100,000 tasks.
 */
const JOBS_PER_INSERT = 50;
/** Scripts a round trip, and their arguments. */
const CALLS_PER_TRIP = 200;
const ARGUMENTS_PER_TRIP = 20_000;
/** Requirements a script: 1000 take about 2 ms of Redis. */
export const EDGES_PER_CALL = 2_000;

/**
 * With `verify`, the outputs of every task of the graph are asked for, also of those that are recorded
 * as complete: one whose output is gone runs again, and nothing else. Without it, a root that is
 * recorded as complete costs one lookup.
 */
export type SubmitOptions = LookOptions;

/** What a plan finds: complete tasks by their record or by their outputs. Writes nothing. */
export async function planRoot(
  place: Workplace,
  root: Task,
  options: SubmitOptions,
): Promise<Plan> {
  return makePlan(root, (tasks) => look(place, tasks, options), {
    throughComplete: options.verify ?? false,
  });
}

/** The plan that a submit found, and what it gave fresh attempts. */
export interface Submitted extends Plan {
  readonly retried: readonly Task[];
}

/**
 * Makes sure that everything the root needs is in the queue, and returns the plan it found. What had
 * failed is retried: at once, or by the rule of the schedule whose tick submits.
 */
export async function submit(
  place: Workplace,
  root: Task,
  options: SubmitOptions & { readonly retryFailed?: RetryRule },
): Promise<Submitted> {
  const found = await planRoot(place, root, options);
  const plan = options.verify ? await withdrawMissing(place, found) : found;
  await enqueue(place, plan.tasks, root.id);
  const endings = ["failed", "completed"] as const;
  const retried = await retryFailed(place.engine, plan.tasks, endings, options.retryFailed);
  return { ...plan, retried };
}

/**
 * Makes sure that everything is in the queue that a task at work asked for. What failed is left
 * alone: a submit of the root decides when to try again. Throws `CycleError` when one of them waits
 * for the task in its turn.
 */
export async function submitFor(
  place: Workplace,
  task: Task,
  wanted: readonly Task[],
  options: SubmitOptions & { readonly root: string },
): Promise<void> {
  const tasks = await expand(wanted, async (part) => {
    const seen = await look(place, part, { signal: options.signal });
    return seen.map((each, i) =>
      part[i]?.id === task.id ? { state: "running", yielded: wanted } : each,
    );
  });
  await enqueue(place, tasks, options.root);
  await retryFailed(place.engine, tasks, ["completed"]);
}

/** Makes sure that the jobs of open tasks are there and linked; `root` is the id that new ones carry. */
export async function enqueue(place: Workplace, tasks: Plan["tasks"], root: string): Promise<void> {
  const planned = [...tasks.values()];
  const foreign = planned.find(
    ({ task, state }) => state === "absent" && !place.project.families.has(task.family.name),
  );
  if (foreign !== undefined) {
    const { name, family } = foreign.task;
    throw new UsageError(
      "FAMILY_UNKNOWN",
      `${name} is needed, but no worker of this project could run it: add ${family.name} to the tasks of defineConfig`,
      { fields: { task: foreign.task.id } },
    );
  }
  await adopt(place, planned);
  await insert(place.engine, root, planned);
  await link(place.engine, planned);
}

/** Records tasks that are complete without a record, and releases what waits for them. */
async function adopt(place: Workplace, planned: readonly PlannedTask[]): Promise<void> {
  const { engine } = place;
  const complete = planned.filter(({ state, recorded }) => state === "complete" && !recorded);
  if (complete.length === 0) return;
  const known = await lookInRedis(
    place,
    complete.map(({ task }) => task),
  );
  const found = complete.filter((_, index) => known[index]?.state !== "complete");
  // One that had failed is no failure any more: its job goes back to the queue, and ends at its gate.
  // Before the record, because a crash in between must leave something to heal.
  const failed = complete.filter((_, index) => known[index]?.state === "failed");
  const again = failed.map((each) => [each.task.id, { ...each, state: "failed" }] as const);
  await retryFailed(engine, new Map(again), ["failed"]);
  await callInTrips(
    engine,
    found.map(({ task, generation }) => adoption(engine, task, generation)),
  );
}

/** A task with requirements is inserted blocked with no edges yet: nothing can release it before `link`. */
async function insert(
  engine: Engine,
  root: string,
  planned: readonly PlannedTask[],
): Promise<void> {
  const absent = planned.filter(({ state }) => state === "absent");
  if (absent.length === 0) return;
  await engine.claim();
  const backend = engine.flow.getBackend();
  const client = await backend.client;
  let before: Promise<unknown> = Promise.resolve();
  for (const part of chunk(absent, JOBS_PER_INSERT)) {
    const sent = Promise.all(
      part.map(({ task, requirements }) => {
        const queue = engine.queue(task.family.queue);
        const job = new Job(queue, task.name, jobDataOf(task, root), jobOptionsOf(task), task.id);
        const { jobData, parentKeyOpts } = job.toFlowEntry({
          addToWaitingChildren: requirements.length > 0,
        });
        return backend.addJobToTransaction(client, jobData, task.id, parentKeyOpts, queue.keys);
      }),
    );
    // Heard below, when its turn comes.
    sent.catch(() => {});
    // They leave in this turn: those that leave together are answered together, and Redis has nothing
    // to do until the next are made.
    await turn();
    await before;
    before = sent;
  }
  await before;
}

/** Every edge of every blocked task; also heals an expansion that died half-way. */
async function link(engine: Engine, planned: readonly PlannedTask[]): Promise<void> {
  await callInTrips(engine, linkCalls(engine, planned));
}

function* linkCalls(
  engine: Engine,
  planned: readonly PlannedTask[],
): Generator<ScriptCall<"link">> {
  for (const { task, state, requirements } of planned) {
    const wasInserted = state === "absent" && requirements.length > 0;
    if (!wasInserted && state !== "blocked") continue;
    let left = requirements.length;
    for (const part of requirements.length > 0 ? chunk(requirements, EDGES_PER_CALL) : [[]]) {
      left -= part.length;
      yield linkCall(engine, task, part, left === 0);
    }
  }
}

/** The call that makes a blocked job wait; `release` it when it has nothing to wait for. */
export function linkCall(
  { keys }: Engine,
  { id, family }: Task,
  requirements: readonly Task[],
  release: boolean,
): ScriptCall<"link"> {
  const edges = requirements.flatMap((each) => [keys.job(each.family.queue, each.id), each.id]);
  const queue = keys.queue(family.queue);
  return {
    name: "link",
    key: keys.job(family.queue, id),
    args: [keys.own, queue, id, Date.now(), release ? "1" : "", ...edges],
  };
}

async function callInTrips(
  engine: Engine,
  calls: Iterable<ScriptCall<"link" | "complete">>,
): Promise<void> {
  let trip: ScriptCall<"link" | "complete">[] = [];
  let size = 0;
  for (const call of calls) {
    trip.push(call);
    size += call.args.length;
    if (trip.length < CALLS_PER_TRIP && size < ARGUMENTS_PER_TRIP) continue;
    await engine.scripts.callAll(trip);
    trip = [];
    size = 0;
  }
  await engine.scripts.callAll(trip);
}
