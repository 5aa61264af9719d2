/** What a person wants to know of tasks beyond their state: rows, bytes, progress, why they failed. */
import type { Task } from "../core/task.ts";
import { chunk } from "./chunk.ts";
import type { Engine } from "./engine.ts";

export interface Details {
  readonly rows?: number;
  readonly bytes?: number;
  readonly message?: string;
}

const TASKS_PER_TRIP = 1000;

/** Progress of running tasks, from their jobs. */
export async function progressOf(
  engine: Engine,
  tasks: readonly Task[],
): Promise<Map<string, Details>> {
  const texts = await read(engine, tasks, (task) => [
    engine.keys.job(task.family.queue, task.id),
    "progress",
  ]);
  return new Map([...texts].map(([id, text]) => [id, details(text)]));
}

/** Rows and bytes of complete tasks, from their answers. */
export async function answersOf(
  engine: Engine,
  tasks: readonly Task[],
): Promise<Map<string, Details>> {
  const texts = await read(engine, tasks, (task) => [engine.keys.done(task.id), "answer"]);
  return new Map([...texts].map(([id, text]) => [id, details(text)]));
}

/** The last error of failed tasks. */
export async function failuresOf(
  engine: Engine,
  tasks: readonly Task[],
): Promise<Map<string, string>> {
  return read(engine, tasks, (task) => [
    engine.keys.job(task.family.queue, task.id),
    "failedReason",
  ]);
}

async function read(
  engine: Engine,
  tasks: readonly Task[],
  where: (task: Task) => readonly [key: string, field: string],
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const part of chunk(tasks, TASKS_PER_TRIP)) {
    const pipeline = engine.redis.pipeline();
    for (const task of part) pipeline.hget(...where(task));
    const replies = (await pipeline.exec()) ?? [];
    for (const [index, task] of part.entries()) {
      const [error, text] = replies[index] ?? [];
      if (error) throw error;
      if (typeof text === "string") found.set(task.id, text);
    }
  }
  return found;
}

function details(text: string): Details {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null) return {};
  const { rows, bytes, message }: { rows?: unknown; bytes?: unknown; message?: unknown } = value;
  return {
    ...(typeof rows === "number" && { rows }),
    ...(typeof bytes === "number" && { bytes }),
    ...(typeof message === "string" && { message }),
  };
}
