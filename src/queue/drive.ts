/** Drives a `run`: a plain function to its answer, a generator until it has to wait. */
import { PermanentError } from "../core/errors.ts";
import type { RunResult } from "../core/run.ts";
import { isTask, type Task } from "../core/task.ts";
import { chunk } from "./chunk.ts";
import type { Engine } from "./engine.ts";

const ANSWERS_A_TRIP = 1000;

export type Driven =
  | { readonly kind: "answered"; readonly answer: unknown }
  /** The tasks that were yielded and are not complete. */
  | { readonly kind: "waiting"; readonly tasks: readonly Task[] };

/** Yields that are answered at once are fed back; the first that is not ends the drive. */
export async function drive(
  engine: Engine,
  task: Task,
  result: RunResult<unknown>,
): Promise<Driven> {
  if (!isGenerator(result)) return { kind: "answered", answer: await result };
  let done = false;
  const resume = async (answer?: unknown) => {
    done = true;
    const step = await result.next(answer);
    done = step.done === true;
    return step;
  };
  try {
    let step = await resume();
    while (step.done !== true) {
      const yielded = yieldedTasks(task, step.value);
      const answers = await answersOf(engine, yielded);
      const open = yielded.filter(({ id }) => !answers.has(id));
      if (open.length > 0) return { kind: "waiting", tasks: open };
      const inOrder = yielded.map(({ id }) => answers.get(id));
      step = await resume(isTask(step.value) ? inOrder[0] : inOrder);
    }
    return { kind: "answered", answer: step.value };
  } finally {
    // Lets its `finally` blocks run; the next attempt starts from the first line.
    if (!done) await result.return(undefined);
  }
}

type AnyGenerator =
  | Generator<unknown, unknown, unknown>
  | AsyncGenerator<unknown, unknown, unknown>;

function isGenerator(result: unknown): result is AnyGenerator {
  return (
    typeof result === "object" &&
    result !== null &&
    "next" in result &&
    "return" in result &&
    (Symbol.asyncIterator in result || Symbol.iterator in result)
  );
}

function yieldedTasks(task: Task, yielded: unknown): readonly Task[] {
  const tasks: readonly unknown[] = Array.isArray(yielded) ? yielded : [yielded];
  if (tasks.every(isTask)) return tasks;
  throw new PermanentError(
    "YIELD_INVALID",
    `${task.name}: run() yielded something that is not a task; use "yield* task" or "yield* all([…])"`,
    { fields: { task: task.id } },
  );
}

/** The recorded answers of the tasks that are complete, by id. */
async function answersOf(engine: Engine, tasks: readonly Task[]): Promise<Map<string, unknown>> {
  const answers = new Map<string, unknown>();
  for (const part of chunk(tasks, ANSWERS_A_TRIP)) {
    const texts = await Promise.all(
      part.map(({ id }) => engine.redis.hget(engine.keys.done(id), "answer")),
    );
    for (const [index, { id }] of part.entries()) {
      const text = texts[index] ?? null;
      if (text !== null) answers.set(id, JSON.parse(text));
    }
  }
  return answers;
}
