/** Waits for several tasks at once, inside a generator `run`. */
import type { AnswerOf } from "./run.ts";
import type { Task } from "./task.ts";

/**
 * `yield* all([…])` fans out to the tasks, waits for every one, and gives their answers in order.
 *
 * ```ts
 * const [orders, items] = yield* all([Dump({ table: "orders" }), Dump({ table: "items" })]);
 * ```
 */
export function* all<const Tasks extends readonly Task[]>(
  tasks: Tasks,
): Generator<Tasks, { readonly [Index in keyof Tasks]: AnswerOf<Tasks[Index]> }, unknown> {
  const answers: unknown = yield tasks;
  // The engine answers each yield with one answer a task; they come from Redis, so only the
  // families know their types.
  return answers as { readonly [Index in keyof Tasks]: AnswerOf<Tasks[Index]> };
}
