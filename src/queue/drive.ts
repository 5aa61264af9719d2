/** Drives a `run`: a plain function to its answer, a generator until it has to wait. */
import { z } from "zod";
import { DependencyFailedError } from "../core/dependency-failed.ts";
import { PermanentError } from "../core/errors.ts";
import type { RunResult } from "../core/run.ts";
import { isTask, type Task } from "../core/task.ts";
import { chunk } from "./chunk.ts";
import type { Engine } from "./engine.ts";

const ANSWERS_A_TRIP = 1000;

export type Driven =
  | { readonly kind: "answered"; readonly answer: unknown }
  /** Tasks that were yielded and are not complete; `failed`: all have failed, and nothing caught it. */
  | { readonly kind: "waiting"; readonly tasks: readonly Task[]; readonly failed: boolean };

/**
 * Yields that are answered at once are fed back; the first that is not ends the drive. When all that is
 * open of a yield has failed for good, that is thrown into the run.
 */
export async function drive(
  engine: Engine,
  task: Task,
  result: RunResult<unknown>,
): Promise<Driven> {
  if (!isGenerator(result)) return { kind: "answered", answer: await result };
  let done = false;
  const resume = async (go: () => ReturnType<AnyGenerator["next"]>) => {
    done = true;
    const step = await go();
    done = step.done === true;
    return step;
  };
  let thrown:
    | { readonly error: DependencyFailedError; readonly tasks: readonly Task[] }
    | undefined;
  try {
    let step = await resume(() => result.next());
    while (step.done !== true) {
      const yielded = yieldedTasks(task, step.value);
      const answers = await answersOf(engine, yielded);
      const open = yielded.filter(({ id }) => !answers.has(id));
      const failures = await failuresOf(engine, open);
      const waiting = open.filter(({ id }) => !failures.has(id));
      if (waiting.length > 0) return { kind: "waiting", tasks: waiting, failed: false };
      const [first] = open;
      if (first === undefined) {
        const inOrder = yielded.map(({ id }) => answers.get(id));
        const answer = isTask(step.value) ? inOrder[0] : inOrder;
        step = await resume(() => result.next(answer));
      } else {
        const failure = failures.get(first.id) ?? { code: "ERROR", message: "" };
        const error = new DependencyFailedError(task, first, failure);
        thrown = { error, tasks: open };
        step = await resume(() => result.throw(error));
      }
    }
    return { kind: "answered", answer: step.value };
  } catch (error) {
    if (thrown === undefined || error !== thrown.error) throw error;
    return { kind: "waiting", tasks: thrown.tasks, failed: true };
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
    "throw" in result &&
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

const failureText = z.object({ code: z.string(), message: z.string() });

/** Why those that have failed for good did, by id. */
async function failuresOf(
  { redis, keys }: Engine,
  tasks: readonly Task[],
): Promise<Map<string, z.output<typeof failureText>>> {
  const failures = new Map<string, z.output<typeof failureText>>();
  for (const part of chunk(tasks, ANSWERS_A_TRIP)) {
    const texts = await Promise.all(part.map(({ id }) => redis.hget(keys.attempt(id), "failure")));
    for (const [index, { id }] of part.entries()) {
      const text = texts[index] ?? null;
      if (text !== null) failures.set(id, failureText.parse(JSON.parse(text)));
    }
  }
  return failures;
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
