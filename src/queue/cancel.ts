/**
 * Cancels tasks, wherever they run or wait. The mark in Redis is what counts; the channel is only
 * quick, and a message that is lost is sent again until the attempt has ended.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { PermanentError } from "../core/errors.ts";
import type { Task } from "../core/task.ts";
import type { JobName } from "./find-task.ts";
import { connectRedis } from "./connection.ts";
import type { Engine } from "./engine.ts";
import { callWaiting, needsOf } from "./resources.ts";
import type { Workplace } from "./runtime.ts";

/**
 * ended      the attempt at work was ended; `removed`: it waited and will not run
 * complete, failed, absent   it was so before: there was nothing to end
 */
export type Cancelled = "ended" | "removed" | "complete" | "failed" | "absent";

export interface CancelOptions {
  /** `ann@host`: the error names them. */
  readonly by: string;
  /** Ends the waiting, not the cancelling. */
  readonly signal: AbortSignal;
  /** Called once when an attempt is at work, which has to end. */
  readonly onRunning?: () => void;
}

/** Milliseconds between two looks whether the attempt has ended. */
const PAUSE = 250;

/** Returns when no attempt of the task is at work any more. Nobody but a person starts it again. */
export async function cancelTask(
  { engine, project }: Pick<Workplace, "engine" | "project">,
  task: Task | JobName,
  { by, signal, onRunning }: CancelOptions,
): Promise<Cancelled> {
  const { redis, keys, scripts } = engine;
  const { id } = task;
  const queueName = "family" in task ? task.family.queue : task.queue;
  const job = keys.job(queueName, id);
  const { code, message: text } = cancelled(task, by);
  let running = false;
  for (;;) {
    const now = Date.now();
    const queue = keys.queue(queueName);
    const found = await scripts.call("cancel", job, keys.own, queue, id, by, now, text);
    if (found === "cancelled") {
      const failure = JSON.stringify({ code, message: text });
      await scripts.call("fail", job, keys.own, id, now, failure);
      // It may have stood in line, and others behind it.
      if ("family" in task) await callWaiting(engine, needsOf(project, task));
      return running ? "ended" : "removed";
    }
    if (found !== "running") return running && found === "failed" ? "ended" : found;
    if (!running) onRunning?.();
    running = true;
    await redis.publish(channel(keys.own), `${id} ${by}`);
    await sleep(PAUSE, undefined, { signal });
  }
}

/** Calls `onCancel` for every task that somebody cancels. */
export async function listenForCancels(
  { settings, keys }: Engine,
  onCancel: (id: string, by: string) => void,
): Promise<{ close(): void }> {
  const redis = connectRedis(settings.redisUrl);
  redis.on("message", (_channel: string, text: string) => {
    // An id has no space.
    const space = text.indexOf(" ");
    onCancel(text.slice(0, space), text.slice(space + 1));
  });
  await redis.subscribe(channel(keys.own));
  return { close: () => redis.disconnect() };
}

/** What a cancelled attempt ends with. */
export function cancelled(task: Pick<Task, "id" | "name">, by: string): PermanentError {
  return new PermanentError(
    "TASK_CANCELLED",
    `${task.name}: cancelled by ${by}. It stays so until somebody runs or retries it`,
    { fields: { task: task.id, by } },
  );
}

function channel(own: string): string {
  return `${own}cancel`;
}
