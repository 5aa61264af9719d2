/** Durations as people write them in declarations: `"30s"`, `"10m"`, `"2h"`, and ranges `"30s..10m"`. */
import { UsageError } from "./errors.ts";
import type { Backoff } from "./task.ts";

const UNITS: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

/** Milliseconds of `"30s"`. Throws a `UsageError` that names `what`. */
export function milliseconds(text: string, what: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  const unit = UNITS.get(match?.[2] ?? "");
  if (match === null || unit === undefined) {
    throw new UsageError(
      "DURATION_INVALID",
      `${what}: expected a duration like "30s", "10m" or "2h", got ${JSON.stringify(text)}`,
    );
  }
  return Math.round(Number(match[1]) * unit);
}

/** `"2h"`, `"90m"`, `"1500ms"`: in the largest unit that is exact. */
export function durationText(duration: number): string {
  const exact = [...UNITS].findLast(([, unit]) => duration % unit === 0);
  const [name, unit] = exact ?? ["ms", 1];
  return `${duration / unit}${name}`;
}

/** `"30s..10m"` grows from 30 seconds to 10 minutes; `"30s"` stays there. */
export function backoffRange(text: string, what: string): Backoff {
  const dots = text.indexOf("..");
  const [first, last] = dots < 0 ? [text, text] : [text.slice(0, dots), text.slice(dots + 2)];
  const range = { first: milliseconds(first, what), last: milliseconds(last, what) };
  if (range.last < range.first) {
    throw new UsageError(
      "DURATION_INVALID",
      `${what}: the range ${JSON.stringify(text)} ends before it begins`,
    );
  }
  return range;
}
