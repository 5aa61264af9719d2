/** Reads the attempts of a task from history. What says nothing of its end is held against its lease. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Engine } from "../engine.ts";
import { attemptPart, joinParts, type RecordedAttempt } from "./attempt.ts";

/** Longer than a worker keeps the end of an attempt to itself. */
const WRITE_DELAY = 400;

/**
 * The attempts of a task, oldest first. One without an end is `running` only while it holds a live
 * lease; otherwise it is `lost`, unless it is the one that completed the task.
 */
export async function readAttempts(engine: Engine, task: string): Promise<RecordedAttempt[]> {
  const attempts = await readOnce(engine, task);
  // Ended, but not written yet? Asked again, once.
  if (attempts.at(-1)?.outcome !== "lost") return attempts;
  await sleep(WRITE_DELAY);
  return readOnce(engine, task);
}

async function readOnce(engine: Engine, task: string): Promise<RecordedAttempt[]> {
  const { redis, keys } = engine;
  const [texts, [holder, expires], [completedBy, completedAt], [seconds]] = await Promise.all([
    redis.lrange(keys.history(`task:${task}`), 0, -1),
    redis.hmget(keys.attempt(task), "holder", "expires"),
    redis.hmget(keys.done(task), "attempt", "at"),
    redis.time(),
  ]);
  const live = Number(expires) > Number(seconds) * 1000 ? holder : undefined;
  const parts = texts.flatMap((text) => attemptPart.safeParse(JSON.parse(text)).data ?? []);
  return joinParts(parts).map((attempt) => {
    if (attempt.outcome !== "running" || attempt.attempt === live) return attempt;
    if (attempt.attempt !== completedBy) return { ...attempt, outcome: "lost" };
    return { ...attempt, outcome: "succeeded", ended: Number(completedAt) };
  });
}
