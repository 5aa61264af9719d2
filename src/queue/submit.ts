/**
 * Plans a root and puts what must run into BullMQ: one job a task, job id = task id, every edge a
 * member of BullMQ's own dependency set of the parent. Nested `FlowProducer.add` is not used: with a
 * shared child it silently drops edges (a parent then hangs for ever or runs too early).
 *
 * Idempotent, safe from many processes at once, and safe to die anywhere: running it again heals.
 */
import { Job } from "bullmq";
import { makePlan, type Plan, type PlannedTask } from "../core/plan.ts";
import type { Task } from "../core/task.ts";
import { chunk } from "./chunk.ts";
import type { Engine } from "./engine.ts";
import { jobDataOf, jobOptionsOf } from "./job.ts";
import { lookAtOutputs, lookInRedis } from "./look.ts";
import type { Workplace } from "./runtime.ts";
import type { ScriptCall } from "./scripts.ts";

/** Jobs an atomic insert: 200 to 2000 are equally fast, 50 halves the rate. */
const JOBS_PER_INSERT = 500;
/** Scripts a round trip. */
const CALLS_PER_TRIP = 200;

export interface SubmitOptions {
  readonly signal: AbortSignal;
  /** The root that jobs name as theirs, when it is not the planned task itself. */
  readonly requestedBy?: string;
  /** Failed tasks get fresh attempts unless this is false. */
  readonly retryFailed?: boolean;
}

/** What a plan finds: complete tasks by their record or by their outputs. Writes nothing. */
export async function planRoot(place: Workplace, root: Task, signal: AbortSignal): Promise<Plan> {
  return makePlan(root, async (tasks) => {
    const seen = await lookInRedis(place, tasks);
    const unknown = tasks.filter((_, i) => /absent|failed/.test(seen[i]?.state ?? ""));
    const existing = await lookAtOutputs(place.stores, unknown, signal);
    return tasks.map((task, i) =>
      existing.has(task) ? { state: "complete" } : (seen[i] ?? { state: "absent" }),
    );
  });
}

/** Makes sure that everything the root needs is in the queue, and returns the plan it found. */
export async function submit(place: Workplace, root: Task, options: SubmitOptions): Promise<Plan> {
  const { engine } = place;
  const plan = await planRoot(place, root, options.signal);
  const planned = [...plan.tasks.values()];
  await adopt(place, planned);
  await insert(engine, options.requestedBy ?? root.id, planned);
  await link(engine, planned);
  if (options.retryFailed ?? true) await retryFailed(engine, planned);
  return plan;
}

/** Records tasks that are complete by their outputs, and releases what waits for them. */
async function adopt(place: Workplace, planned: readonly PlannedTask[]): Promise<void> {
  const { engine } = place;
  const complete = planned.filter(({ state }) => state === "complete").map(({ task }) => task);
  const known = await lookInRedis(place, complete);
  const found = complete.filter((_, index) => known[index]?.state !== "complete");
  await callInTrips(
    engine,
    found.map((task) => completion(engine, task, "", null)),
  );
}

/** The call that records a task as complete; `attempt` is "" when its output was found. */
export function completion(
  engine: Engine,
  task: Task,
  attempt: string,
  answer: unknown,
): ScriptCall<"complete"> {
  const { keys } = engine;
  const text = JSON.stringify(answer ?? null);
  return {
    name: "complete",
    key: keys.job(task.family.queue, task.id),
    args: [keys.own, task.id, attempt, task.name, text, Date.now()],
  };
}

/** A task with requirements is inserted blocked with no edges yet: nothing can release it before `link`. */
async function insert(
  engine: Engine,
  root: string,
  planned: readonly PlannedTask[],
): Promise<void> {
  const absent = planned.filter(({ state }) => state === "absent");
  const backend = engine.flow.getBackend();
  await backend.waitUntilReady();
  for (const part of chunk(absent, JOBS_PER_INSERT)) {
    const entries = part.map(({ task, requirements }) => {
      const options = jobOptionsOf(task);
      const queue = engine.queue(task.family.queue);
      const job = new Job(queue, task.name, jobDataOf(task, root), options, task.id);
      return job.toFlowEntry({ addToWaitingChildren: requirements.length > 0 });
    });
    for (const [error] of await backend.addFlow(entries)) if (error) throw error;
  }
}

/** Every edge of every blocked task; also heals an expansion that died half-way. */
async function link(engine: Engine, planned: readonly PlannedTask[]): Promise<void> {
  const { keys } = engine;
  const blocked = planned.filter(
    ({ state, requirements }) =>
      requirements.length > 0 && (state === "absent" || state === "blocked"),
  );
  await callInTrips(
    engine,
    blocked.map(({ task, requirements }): ScriptCall<"link"> => {
      const queue = keys.queue(task.family.queue);
      const edges = requirements.flatMap(({ family, id }) => [keys.job(family.queue, id), id]);
      return {
        name: "link",
        key: keys.job(task.family.queue, task.id),
        args: [keys.own, queue, task.id, Date.now(), ...edges],
      };
    }),
  );
}

/** Failed jobs get fresh attempts, once: of two submitters one wins, the other changes nothing. */
async function retryFailed(engine: Engine, planned: readonly PlannedTask[]): Promise<void> {
  for (const { task, state } of planned) {
    if (state !== "failed") continue;
    const job = await Job.fromId(engine.queue(task.family.queue), task.id);
    if (job === undefined) continue;
    const finished = job.failedReason ? "failed" : "completed";
    try {
      await job.retry(finished, { resetAttemptsMade: true, resetAttemptsStarted: true });
    } catch (error) {
      if (!someoneElseRetried(error)) throw error;
    }
  }
}

/** BullMQ's codes for "no such job" (-1) and "not in that state" (-3). */
function someoneElseRetried(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === -1 || error.code === -3);
}

async function callInTrips(
  engine: Engine,
  calls: readonly ScriptCall<"link" | "complete">[],
): Promise<void> {
  for (const part of chunk(calls, CALLS_PER_TRIP)) await engine.scripts.callAll(part);
}
