/** Why a task whose job is there is not handed out: units, time, its queue. Reads Redis; writes nothing. */
import type { Task } from "../core/task.ts";
import { statusOf } from "./resources.ts";
import type { Workplace } from "./runtime.ts";
import type { Reason } from "./why.ts";

/** Of a delayed job: the one thing that delays it, or each resource whose units it waits for. */
export async function delayReasons(place: Workplace, task: Task): Promise<readonly Reason[]> {
  const units = await resourceReasons(place, task);
  return units.length > 0 ? units : [await delay(place, task)];
}

/** The resources in whose line it stands. */
export async function resourceReasons(place: Workplace, task: Task): Promise<readonly Reason[]> {
  const reasons: Reason[] = [];
  for (const { name, units } of task.family.resources) {
    const { limit, inUse, holders, waiting } = await statusOf(place, name);
    const behind = waiting.findIndex(({ id }) => id === task.id);
    if (behind < 0) continue;
    const names = holders.map((each) => each.name);
    reasons.push({ kind: "resource", name, units, limit, inUse, holders: names, behind });
  }
  return reasons;
}

async function delay({ engine }: Workplace, task: Task): Promise<Reason> {
  const { redis, keys } = engine;
  const [job, score, [holder, expires, version]] = await Promise.all([
    engine.queue(task.family.queue).getJob(task.id),
    redis.zscore(`${keys.queue(task.family.queue)}:delayed`, task.id),
    redis.hmget(keys.attempt(task.id), "holder", "expires", "version"),
  ]);
  // BullMQ keeps the time in the upper bits of the score.
  const until = Math.floor(Number(score) / 0x1000);
  if (version) return { kind: "other-version", until, error: version };
  const leased = holder !== null && Number(expires) > Date.now();
  const external = task.family.kind === "external";
  return {
    kind: "delayed",
    until,
    cause: external ? "external" : leased ? "lease" : "retry",
    attempt: (job?.attemptsMade ?? 0) + 1,
    attempts: job?.opts.attempts ?? 1,
    error: job?.failedReason || null,
  };
}

export async function queueReasons(
  { engine }: Workplace,
  { family }: Task,
): Promise<readonly Reason[]> {
  const queue = engine.queue(family.queue);
  const [paused, workers] = await Promise.all([queue.isPaused(), queue.getWorkersCount()]);
  return [
    ...(paused ? [{ kind: "paused" as const, queue: family.queue }] : []),
    ...(workers === 0 ? [{ kind: "no-worker" as const, queue: family.queue }] : []),
  ];
}

/** Jobs of dead workers go first, from the list; then all others, by priority and arrival. */
export async function position({ engine }: Workplace, { id, family }: Task): Promise<Reason> {
  const { redis, keys } = engine;
  const queue = keys.queue(family.queue);
  const [waiting, index, rank] = await Promise.all([
    redis.llen(`${queue}:wait`),
    redis.lpos(`${queue}:wait`, id),
    redis.zrank(`${queue}:prioritized`, id),
  ]);
  const behind = index === null ? waiting + (rank ?? 0) : waiting - 1 - index;
  return { kind: "waiting", queue: family.queue, behind };
}
