/**
 * What `run` receives and may give back. Everything it needs comes through its context: a task reads
 * no globals and opens no connections of its own.
 */
import type { Stores } from "./stores.ts";
import type { Attempt, HandlesOf } from "./target.ts";
import type { Requirements, Task } from "./task.ts";

/** The handles of every requirement's output, in the shape of `requires`; unknown when that has none. */
export type InputOf<R> = Requirements extends R
  ? unknown
  : R extends Task<unknown, infer O>
    ? HandlesOf<O>
    : R extends readonly Requirements[]
      ? { readonly [Index in keyof R]: InputOf<R[Index]> }
      : R extends { readonly [name: string]: Requirements }
        ? { readonly [Name in keyof R]: InputOf<R[Name]> }
        : undefined;

/** How far an attempt has come. Rows and bytes are totals so far, not increments. */
export interface Progress {
  readonly rows?: number;
  readonly bytes?: number;
  readonly message?: string;
}

/**
 * What can be looked at without running: the context of `sql`. Take from it by name: stores are opened when
 * they are asked for, and a copy (`{ ...context }`) has none.
 */
export interface TaskContext<Params = unknown, Input = unknown, Output = unknown> extends Stores {
  readonly task: Task;
  readonly params: Params;
  readonly input: Input;
  readonly output: Output;
  readonly signal: AbortSignal;
}

export interface RunContext<Params = unknown, Input = unknown, Output = unknown>
  extends TaskContext<Params, Input, Output> {
  readonly attempt: Attempt;
  /** Tells operators how far the attempt has come. Cheap: call it as often as you like. */
  readonly progress: (report: Progress) => void;
  /** A line in the job's log, which Bull Board shows. */
  readonly log: (line: string) => void;
}

/** A `run` that is a generator yields the tasks it needs and gets their answers. */
export type Yielded = Task | readonly Task[];

export type RunResult<Answer> =
  | Answer
  | Promise<Answer>
  | Generator<Yielded, Answer, unknown>
  | AsyncGenerator<Yielded, Answer, unknown>;

/** The answer of a task; the keys `rows` and `bytes`, when numbers, are shown to operators. */
export type AnswerOf<T> = T extends Task<infer Answer> ? Answer : never;
