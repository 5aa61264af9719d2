/** A part of a table that is written as a whole: the rows of a day, a week, a month. */
import type { Quoting } from "./quoting.ts";

/** Rows whose date or timestamp in `column` falls on one day. */
export interface Slice {
  readonly column: string;
  /** The day and the one after it, as `YYYY-MM-DD`. */
  readonly from: string;
  readonly before: string;
}

/** ` WHERE …`, or nothing for the whole table. Half open, so that it is right for dates and timestamps. */
export function whereSlice(slice: Slice | undefined, quoting: Quoting): string {
  if (slice === undefined) return "";
  const column = quoting.quoteIdentifier(slice.column);
  const [from, before] = [slice.from, slice.before].map(quoting.quoteLiteral);
  return ` WHERE ${column} >= DATE ${from} AND ${column} < DATE ${before}`;
}
