/** What a `run` returned, as the text that is kept with the completion. Refuses what JSON would lose. */
import { messageOf, PermanentError } from "../core/errors.ts";
import type { Task } from "../core/task.ts";

/** Every job that waits for the task gets a copy: data belongs into outputs. */
const MOST_CHARACTERS = 65_536;

export function answerText(task: Task, answer: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(answer ?? null);
  } catch (cause) {
    throw invalid(task, messageOf(cause), cause);
  }
  // JSON.stringify gives undefined for functions and symbols, whatever its type says.
  if (typeof text !== "string") throw invalid(task, `it is a ${typeof answer}`);
  if (text.length > MOST_CHARACTERS) {
    throw invalid(task, `it has ${text.length} characters, more than ${MOST_CHARACTERS}`);
  }
  return text;
}

function invalid(task: Task, why: string, cause?: unknown): PermanentError {
  return new PermanentError(
    "ANSWER_INVALID",
    `${task.name}: run() returned something that cannot be kept as its answer (${why}): return a small JSON value, and write data to an output`,
    { cause, fields: { task: task.id } },
  );
}

/** What an answer says of how much was moved; undefined when it says nothing. */
export function numberIn(answer: unknown, key: "rows" | "bytes"): number | undefined {
  if (typeof answer !== "object" || answer === null) return undefined;
  const value: unknown = Reflect.get(answer, key);
  return typeof value === "number" ? value : undefined;
}
