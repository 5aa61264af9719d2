/**
 * The value that follows a parameter's value, where its kind has an order without gaps: whole
 * numbers, years, days, months, hours, minutes. It is what lets `Fam(n=0...9)` stand for ten tasks.
 */
import { Temporal } from "temporal-polyfill";
import { encodeText, isOptional } from "../core/params/codec.ts";
import type { Task } from "../core/task.ts";

/**
 * The text of the next value of a task's parameter; undefined where there is none. Decided by the
 * value, not by the name of its kind, so that a user's own kinds of whole numbers and days count.
 * As in Luigi, floats, intervals and optional parameters have no next value.
 */
export function nextText(task: Task, param: string): string | undefined {
  const codec = task.family.params[param];
  if (codec === undefined || isOptional(codec)) return undefined;
  const text = task.texts[param] ?? "";
  const value = task.params[param];
  const encode = (next: unknown) => encodeText(codec, next);

  if (typeof value === "bigint") return encode(value + 1n);
  // The text of a float is never that of a whole number: `1.0`.
  if (typeof value === "number" && /^-?\d+$/.test(text)) {
    return encode(value < Number.MAX_SAFE_INTEGER ? value + 1 : BigInt(value) + 1n);
  }
  if (value instanceof Temporal.PlainDate) return within(() => encode(value.add({ days: 1 })));
  if (value instanceof Temporal.PlainYearMonth) {
    return within(() => encode(value.add({ months: 1 })));
  }
  if (value instanceof Temporal.PlainDateTime) {
    const minute = within(() => encode(value.add({ minutes: 1 })));
    // A date hour cuts minutes off, so one minute later has the same text.
    return minute === text ? within(() => encode(value.add({ hours: 1 }))) : minute;
  }
  return undefined;
}

/** After the last day that there is comes none. */
function within<T>(next: () => T): T | undefined {
  try {
    return next();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
