/**
 * Targets: what a task writes, as values. A declared target names a place; bound to the stores of a
 * process it becomes a handle that can be asked whether it exists, read, or (inside an attempt)
 * written. Core knows the shape only; kinds live in `src/targets`.
 */
import { PermanentError } from "./errors.ts";
import type { Stores } from "./stores.ts";
import type { Task } from "./task.ts";

/** The running attempt: who it is, and whether it may still commit. */
export interface Attempt {
  /** Unique in the world; names attempt-private places. */
  readonly id: string;
  /** Which try this is, from 1. */
  readonly number: number;
  /** Throws `LeaseLostError` unless this attempt holds the lease right now. Asked before a commit. */
  confirmLease(): Promise<void>;
}

/** What a target is bound to. `attempt` is absent when it is only read. */
export interface Binding {
  readonly task: Task;
  readonly stores: Stores;
  readonly signal: AbortSignal;
  readonly attempt?: Attempt;
}

export interface TargetHandle {
  /** What a person sees: `s3://bucket/dumps/orders/2026-11-21/`, `marker LoadTable_… of mart.orders`. */
  readonly location: string;
  exists(): Promise<boolean>;
  /**
   * Deletes it, proof first: what is cut off half-way does not exist. Removing what is not there is no
   * error. Absent for what is not ours to delete; such a task cannot be invalidated.
   */
  remove?(): Promise<void>;
}

export interface Target<Handle extends TargetHandle = TargetHandle> {
  /** For example `s3-dataset` or `table-marker`. */
  readonly kind: string;
  bind(binding: Binding): Handle;
}

/** The output of a task: none, one target, or several by position or by name. */
export type Outputs = undefined | Target | readonly Target[] | { readonly [name: string]: Target };

/** The handles of an output, in its shape. */
export type HandlesOf<O> =
  O extends Target<infer Handle>
    ? Handle
    : O extends readonly Target[]
      ? { readonly [Index in keyof O]: HandlesOf<O[Index]> }
      : O extends { readonly [name: string]: Target }
        ? { readonly [Name in keyof O]: HandlesOf<O[Name]> }
        : undefined;

function isTarget(value: unknown): value is Target {
  return (
    typeof value === "object" &&
    value !== null &&
    "bind" in value &&
    typeof value.bind === "function"
  );
}

/** The targets of an output, flat. What is none would prove nothing: refused, not passed over. */
export function flattenOutputs(outputs: Outputs): readonly Target[] {
  if (outputs === undefined) return [];
  if (isTarget(outputs)) return [outputs];
  const targets: readonly Target[] = Object.values(outputs);
  const isNesting = Array.isArray(outputs) || Object.getPrototypeOf(outputs) === Object.prototype;
  if (isNesting && targets.every(isTarget)) return targets;
  throw new PermanentError(
    "OUTPUT_INVALID",
    "output() gave something that is no target: give a target, or an array or an object of targets",
  );
}

/** Handles in the shape of the output. */
export function bindOutputs<O extends Outputs>(outputs: O, binding: Binding): HandlesOf<O>;
export function bindOutputs(outputs: Outputs, binding: Binding): unknown {
  if (outputs === undefined) return undefined;
  if (isTarget(outputs)) return outputs.bind(binding);
  if (Array.isArray(outputs)) return outputs.map((target: Target) => target.bind(binding));
  return Object.fromEntries(
    Object.entries(outputs).map(([name, target]) => [name, target.bind(binding)]),
  );
}

/** The handles of a task's outputs, flat. */
export function boundOutputs(binding: Binding): readonly TargetHandle[] {
  return flattenOutputs(binding.task.outputs).map((target) => target.bind(binding));
}

/** The outputs of a task that do not exist, by location. A task without outputs misses none. */
export async function missingOutputs(binding: Binding): Promise<string[]> {
  const handles = boundOutputs(binding);
  const exist = await Promise.all(handles.map((handle) => handle.exists()));
  return handles.filter((_, index) => exist[index] !== true).map((handle) => handle.location);
}

/** The outputs of a task that exist. */
export async function existingOutputs(binding: Binding): Promise<TargetHandle[]> {
  const handles = boundOutputs(binding);
  const exist = await Promise.all(handles.map((handle) => handle.exists()));
  return handles.filter((_, index) => exist[index] === true);
}
