/**
 * Why a task is not running: every reason that holds, in a fixed order. A blocked task is explained by
 * what it waits for in the end, not by what stands between. Reads Redis; writes nothing.
 */
import type { Job } from "bullmq";
import { makePlan, type Plan, type PlannedTask, type TaskState } from "../core/plan.ts";
import type { Progress } from "../core/run.ts";
import { missingOutputs } from "../core/target.ts";
import type { Task } from "../core/task.ts";
import { progressOf } from "./details.ts";
import { readAttempts } from "./history/read-attempts.ts";
import { lookInRedis } from "./look.ts";
import type { Workplace } from "./runtime.ts";
import { type TickRetries, tickRetries } from "./tick-retries.ts";
import { delayReasons, position, queueReasons, resourceReasons } from "./why-waits.ts";

/** In the order in which they are given. */
export type Reason =
  /** Nobody asked for it. `missing`: its outputs that do not exist; null when nothing could be asked. */
  | { readonly kind: "not-planned"; readonly missing: readonly string[] | null }
  /** `attempt` is null when its output was found, `at` too when it needs no record. */
  | { readonly kind: "complete"; readonly at: number | null; readonly attempt: string | null }
  /** `causes`: the first of what it waits for in the end, those first that need a person. */
  | { readonly kind: "blocked"; readonly open: number; readonly causes: readonly Cause[] }
  | {
      readonly kind: "failed";
      readonly error: string;
      readonly at: number | null;
      readonly attempts: number;
    }
  /** What ticks of the scheduler do about a failed task: see `TickRetries`. */
  | { readonly kind: "ticks"; readonly ticks: TickRetries }
  /** Only a worker of another version of the project can build it. */
  | { readonly kind: "other-version"; readonly until: number; readonly error: string }
  /** It stands in line for units: behind so many others. `holders`: the names of who has them. */
  | {
      readonly kind: "resource";
      readonly name: string;
      readonly units: number;
      readonly limit: number;
      readonly inUse: number;
      readonly holders: readonly string[];
      readonly behind: number;
    }
  | {
      readonly kind: "delayed";
      readonly until: number;
      readonly cause: "retry" | "lease" | "external";
      /** The attempt that is next, of how many. */
      readonly attempt: number;
      readonly attempts: number;
      readonly error: string | null;
    }
  | { readonly kind: "paused"; readonly queue: string }
  | { readonly kind: "no-worker"; readonly queue: string }
  | { readonly kind: "waiting"; readonly queue: string; readonly behind: number }
  | {
      readonly kind: "running";
      readonly worker: string | null;
      readonly since: number | null;
      readonly progress: Progress;
    };

export interface Cause {
  readonly task: Task;
  readonly reasons: readonly Reason[];
}

export interface Why {
  readonly state: TaskState;
  readonly reasons: readonly Reason[];
}

const MOST_CAUSES = 20;

export async function why(place: Workplace, task: Task, signal: AbortSignal): Promise<Why> {
  const plan = await makePlan(task, (tasks) => lookInRedis(place, tasks));
  const state = plan.tasks.get(task.id)?.state ?? "absent";
  if (state !== "blocked") return { state, reasons: await reasonsOf(place, task, state, signal) };
  const found = causes(plan);
  const open = [...plan.tasks.values()].filter(
    (each) => each.task !== plan.root && each.state !== "complete",
  );
  const explained: Cause[] = [];
  for (const { task, state } of found.slice(0, MOST_CAUSES)) {
    explained.push({ task, reasons: await reasonsOf(place, task, state, signal) });
  }
  return { state, reasons: [{ kind: "blocked", open: open.length, causes: explained }] };
}

/** Failed ones first: they need a person. What is running needs nobody. */
const URGENCY: readonly TaskState[] = ["failed", "absent", "delayed", "queued", "running"];

/** The tasks in the end of every chain: nothing that they need is open. */
function causes({ root, tasks }: Plan): PlannedTask[] {
  const isOpen = ({ id }: Task) => tasks.get(id)?.state !== "complete";
  return [...tasks.values()]
    .filter(({ task, state }) => task !== root && URGENCY.includes(state))
    .filter(({ state, requirements }) => state !== "absent" || !requirements.some(isOpen))
    .sort((a, b) => URGENCY.indexOf(a.state) - URGENCY.indexOf(b.state));
}

async function reasonsOf(
  place: Workplace,
  task: Task,
  state: TaskState,
  signal: AbortSignal,
): Promise<Reason[]> {
  const { engine } = place;
  switch (state) {
    case "absent":
      return [{ kind: "not-planned", missing: await missing(place, task, signal) }];
    case "complete":
      return [await completion(place, task)];
    case "blocked":
      return [];
    case "failed":
      return [
        failure(await engine.queue(task.family.queue).getJob(task.id)),
        ...(await tickRetries(place, [task.id]))
          .filter(({ kind }) => kind !== "none")
          .map((ticks) => ({ kind: "ticks" as const, ticks })),
      ];
    case "delayed":
      return [...(await delayReasons(place, task)), ...(await queueReasons(place, task))];
    case "queued":
      return [
        ...(await resourceReasons(place, task)),
        ...(await queueReasons(place, task)),
        await position(place, task),
      ];
    case "running":
      break;
  }
  return [await running(place, task)];
}

async function missing(
  { stores }: Workplace,
  task: Task,
  signal: AbortSignal,
): Promise<readonly string[] | null> {
  if (task.outputs === undefined) return null;
  // A store that is away or not configured here must not hide the answer.
  return missingOutputs({ task, stores, signal }).catch(() => null);
}

async function completion({ engine }: Workplace, task: Task): Promise<Reason> {
  const [at, attempt] = await engine.redis.hmget(engine.keys.done(task.id), "at", "attempt");
  return { kind: "complete", at: at ? Number(at) : null, attempt: attempt || null };
}

function failure(job: Job | undefined): Reason {
  return {
    kind: "failed",
    error: job?.failedReason || "the record of its completion is gone: it has to run again",
    at: job?.finishedOn ?? null,
    attempts: job?.attemptsMade ?? 0,
  };
}

async function running({ engine }: Workplace, task: Task): Promise<Reason> {
  const [attempts, progress, job] = await Promise.all([
    readAttempts(engine, task.id),
    progressOf(engine, [task]),
    engine.queue(task.family.queue).getJob(task.id),
  ]);
  const attempt = attempts.find(({ outcome }) => outcome === "running");
  return {
    kind: "running",
    worker: attempt?.worker ?? null,
    since: attempt?.started ?? job?.processedOn ?? null,
    progress: progress.get(task.id) ?? {},
  };
}
