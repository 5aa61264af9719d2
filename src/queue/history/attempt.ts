/**
 * What history keeps of an attempt, and how it is put together again. An attempt is written in parts
 * (its start, its end, or both at once when it was short); a part that arrives twice changes nothing,
 * so a write whose answer was lost may be repeated. Pure: reads and writes nothing.
 */
import { z } from "zod";

/**
 * How an attempt ended.
 *
 * succeeded   the task is recorded as complete
 * retrying    failed, and another attempt follows
 * failed      failed for good
 * lost        its worker died, or its end could not be recorded
 * blocked     waits for tasks that its run yielded; starts again when they are complete
 * returned    its worker was told to stop: handed back to the queue
 * superseded  another attempt has taken over
 */
const endings = [
  "succeeded",
  "retrying",
  "failed",
  "lost",
  "blocked",
  "returned",
  "superseded",
] as const;
export type Ending = (typeof endings)[number];

/** As in `SluiceEvents`: no secrets, no stack. */
const failure = z.object({ code: z.string(), message: z.string(), fingerprint: z.string() });

/** One write. Everything of the start is absent when the start was written before, or never. */
export const attemptPart = z.object({
  attempt: z.string(),
  number: z.number(),
  /** The task's name: an id alone tells people little. */
  name: z.string().optional(),
  root: z.string().optional(),
  queue: z.string().optional(),
  /** `host:pid` */
  worker: z.string().optional(),
  /** Of the code. */
  version: z.string().optional(),
  /** Milliseconds since 1970, by the worker's clock. */
  started: z.number().optional(),
  ended: z.number().optional(),
  outcome: z.enum(endings).optional(),
  seconds: z.number().optional(),
  rows: z.number().optional(),
  bytes: z.number().optional(),
  error: failure.optional(),
});

export type AttemptPart = z.output<typeof attemptPart>;

export type AttemptState = Ending | "running";

export interface RecordedAttempt extends Omit<AttemptPart, "started" | "outcome"> {
  readonly started: number;
  readonly outcome: AttemptState;
}

/** The attempts of one task in the order of their starts; those without an end count as running. */
export function joinParts(parts: readonly AttemptPart[]): RecordedAttempt[] {
  const joined = new Map<string, AttemptPart>();
  for (const part of parts) {
    joined.set(part.attempt, { ...joined.get(part.attempt), ...part });
  }
  return [...joined.values()]
    .map((part) => ({
      ...part,
      // A task that fails at the gate (its third crash, say) never started to run.
      started: part.started ?? (part.ended ?? 0) - (part.seconds ?? 0) * 1000,
      outcome: part.outcome ?? ("running" as const),
    }))
    .sort((a, b) => a.started - b.started);
}

/** A step of a task from one state to the next. */
export interface Transition {
  readonly at: number;
  readonly attempt: string;
  readonly to: AttemptState;
}

/** Every recorded step of a task, in order. The end of a lost attempt has no time: its start's. */
export function transitionsOf(attempts: readonly RecordedAttempt[]): Transition[] {
  return attempts
    .flatMap(({ attempt, started, ended, outcome }): Transition[] => {
      const start = { at: started, attempt, to: "running" as const };
      if (outcome === "running") return [start];
      return [start, { at: ended ?? started, attempt, to: outcome }];
    })
    .sort((a, b) => a.at - b.at);
}
