/** INV19: whether the recorded attempts of a task are a legal path of its state machine. */
import { type RecordedAttempt, transitionsOf } from "../../../src/queue/history/attempt.ts";

/**
 * The first thing that cannot have happened, or undefined: an end before its start, a start after the
 * task was complete, two attempts at work at once (unless the first was lost or taken over). A task
 * that was invalidated so often may begin again after so many completions: its `generation`.
 */
export function illegalStep(
  attempts: readonly RecordedAttempt[],
  generation = 0,
): string | undefined {
  let generationsLeft = generation;
  const outcomes = new Map(attempts.map(({ attempt, outcome }) => [attempt, outcome]));
  let completedBy: string | undefined;
  const running = new Set<string>();
  for (const { attempt, started, ended } of attempts) {
    if (ended !== undefined && ended < started) return `${attempt} ended before it began`;
  }
  for (const { attempt, to } of transitionsOf(attempts)) {
    if (to === "running") {
      if (completedBy !== undefined) {
        if (generationsLeft === 0)
          return `${attempt} began after ${completedBy} had completed the task`;
        generationsLeft -= 1;
        completedBy = undefined;
      }
      const other = [...running].find(
        (id) => outcomes.get(id) !== "lost" && outcomes.get(id) !== "superseded",
      );
      if (other !== undefined) return `${attempt} began while ${other} was at work`;
      running.add(attempt);
      continue;
    }
    if (!running.delete(attempt)) return `${attempt} ended as ${to}, but was not running`;
    if (to === "succeeded") completedBy = attempt;
  }
  return undefined;
}
