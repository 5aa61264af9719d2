/**
 * What a declaration may say, checked once, when the family is defined: a mistake is an error at
 * import, not a job that fails at three in the morning. Knows nothing of parameters.
 */
import { UsageError } from "./errors.ts";

/** The highest priority of a family; the lowest is as far below 0. */
export const HIGHEST_PRIORITY = 1000;
/** Milliseconds that a timer of Node can wait. */
const LONGEST_TIMER = 2 ** 31 - 1;
/** Every unit in use costs a look before each attempt that needs some. */
const MOST_UNITS = 10_000;
/** Our own keys, and the scheduler's ticks: tasks that waited there would never run. */
const RESERVED_QUEUES: ReadonlySet<string> = new Set(["sluice", "schedule"]);

/** So that no id contains `:` or equals a key name of BullMQ: ids become Redis key names. */
export function checkFamilyName(name: string): void {
  if (/^[A-Za-z][A-Za-z0-9_.]*$/.test(name)) return;
  throw new UsageError(
    "FAMILY_NAME_INVALID",
    `${JSON.stringify(name)} cannot be the name of a family: use letters, digits, "_" and ".", beginning with a letter`,
  );
}

/** A colon in it, or the name of our own keys, would read the wrong keys. */
export function checkQueueName(queue: string, what: string): void {
  if (/^[a-z][a-z0-9-]*$/.test(queue) && !RESERVED_QUEUES.has(queue)) return;
  throw new UsageError(
    "QUEUE_NAME_INVALID",
    `${what}: ${JSON.stringify(queue)} cannot be the name of a queue: use lower-case letters, digits and "-" (and not ${[...RESERVED_QUEUES].map((name) => `"${name}"`).join(" or ")})`,
  );
}

/** It is part of key names and of lists that are separated by spaces. */
export function checkResourceName(name: string, what: string): void {
  if (/^[a-z][a-z0-9-]*$/.test(name)) return;
  throw new UsageError(
    "RESOURCE_NAME_INVALID",
    `${what}: ${JSON.stringify(name)} cannot be the name of a resource: use lower-case letters, digits and "-", beginning with a letter`,
  );
}

/** Units that a task takes, and how many of them there are. */
export function checkUnits(units: number, what: string): void {
  if (Number.isInteger(units) && units >= 1 && units <= MOST_UNITS) return;
  throw new UsageError(
    "RESOURCE_UNITS_INVALID",
    `${what}: expected a whole number from 1 to ${MOST_UNITS}, got ${String(units)}`,
  );
}

/** A limit that an operator sets: 0 lets nothing begin. */
export function checkLimit(limit: number, what: string): void {
  if (limit === 0) return;
  checkUnits(limit, what);
}

export function checkPriority(priority: number, what: string): void {
  if (Number.isInteger(priority) && Math.abs(priority) <= HIGHEST_PRIORITY) return;
  throw new UsageError(
    "PRIORITY_INVALID",
    `${what}: expected a whole number from ${HIGHEST_PRIORITY} (first) to -${HIGHEST_PRIORITY} (last), got ${String(priority)}`,
  );
}

/** Longer would overflow the timer, and the attempt would end at once. */
export function checkTimeout(timeout: number, what: string): void {
  if (timeout >= 1 && timeout <= LONGEST_TIMER) return;
  throw new UsageError(
    "TIMEOUT_INVALID",
    `${what}: expected a duration from "1ms" to "24d"; without one an attempt may run for ever`,
  );
}

export function checkAttempts(attempts: number, what: string): void {
  if (Number.isInteger(attempts) && attempts >= 1) return;
  throw new UsageError(
    "ATTEMPTS_INVALID",
    `${what}: expected a whole number of at least 1, got ${String(attempts)}`,
  );
}
