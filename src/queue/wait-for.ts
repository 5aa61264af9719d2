/** Puts tasks into the queue and makes a running job wait for them. */
import { PermanentError } from "../core/errors.ts";
import { CycleError } from "../core/plan.ts";
import type { Task } from "../core/task.ts";
import { chunk } from "./chunk.ts";
import type { Delivery } from "./execute.ts";
import type { Outcome } from "./outcome.ts";
import type { Runtime } from "./runtime.ts";
import { EDGES_PER_CALL, submitFor } from "./submit.ts";

/**
 * Why it waits: they are its requirements; its run yielded them; or its run yielded them, they have
 * failed, and it did not catch that.
 */
type WaitReason = "required" | "yielded" | "failed";

const CODES: Readonly<Record<WaitReason, string>> = { required: "", yielded: "y", failed: "f" };

export async function waitFor(
  runtime: Runtime,
  { job, token, interrupt }: Delivery,
  { task, root }: { readonly task: Task; readonly root: string },
  tasks: readonly Task[],
  reason: WaitReason,
): Promise<Outcome> {
  const { engine } = runtime;
  if (reason !== "required") await countRestart(runtime, task);
  await submitFor(runtime, task, tasks, { signal: interrupt.signal, root });
  let open = 0;
  for (const part of chunk(tasks, EDGES_PER_CALL)) {
    const stillOpen = await engine.scripts.call(
      "await",
      engine.keys.job(job.queueName, task.id),
      engine.keys.own,
      token,
      task.id,
      CODES[reason],
      ...part.flatMap((each) => [engine.keys.job(each.family.queue, each.id), each.id]),
    );
    if (typeof stillOpen !== "number") throw new CycleError(stillOpen);
    if (stillOpen < 0) return { kind: "superseded" };
    open += stillOpen;
  }
  // All ended in the meantime: back to the queue at once.
  if (open === 0) return { kind: "returned" };
  return { kind: "blocked" };
}

/** A run that yields other tasks each time it starts would start for ever. */
async function countRestart({ engine, settings }: Runtime, task: Task): Promise<void> {
  const key = engine.keys.attempt(task.id);
  const restarts = await engine.redis.hincrby(key, "restarts", 1);
  if (restarts <= settings.restartsAllowed) return;
  // So that a retry has all of them again.
  await engine.redis.hdel(key, "restarts");
  throw new PermanentError(
    "RESTARTS_EXCEEDED",
    `${task.name}: run() has waited for other tasks ${settings.restartsAllowed} times and starts again from its first line each time: yield the same tasks on every start, and many at once with all([…])`,
    { fields: { task: task.id } },
  );
}
