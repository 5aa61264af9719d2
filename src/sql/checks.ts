/**
 * Questions about the rows of a table, one SELECT each, in SQL that every dialect reads. All but the
 * counts give rows only when something is wrong. Pure text.
 */
import type { Quoting } from "./quoting.ts";
import { withoutSemicolon } from "./select.ts";

/** More rows that are wrong are not counted: a hundred say enough. */
export const MOST_FOUND = 100;

/** The rows in question: all of a table, or those of which a condition is true. */
export interface Rows {
  readonly table: string;
  /** The user's SQL. */
  readonly where?: string | undefined;
}

/** One row with the number of rows, in `found`. */
export function countOf(rows: Rows, quoting: Quoting): string {
  return `SELECT count(*) AS found FROM ${from(rows, [], quoting)}`;
}

/** One row with both numbers, in `found` and `others`, as one snapshot has them. */
export function countsOf(rows: Rows, others: Rows, quoting: Quoting): string {
  const count = (of: Rows) => `(SELECT count(*) FROM ${from(of, [], quoting)})`;
  return `SELECT ${count(rows)} AS found, ${count(others)} AS others`;
}

/** The rows in which the column is NULL. */
export function nullsIn(column: string, rows: Rows, quoting: Quoting): string {
  const isNull = `${quoting.quoteIdentifier(column)} IS NULL`;
  return `SELECT * FROM ${from(rows, [isNull], quoting)} LIMIT ${MOST_FOUND}`;
}

/** The keys that more than one row has. NULL counts as a value: two rows without a key are alike. */
export function duplicatesOf(key: readonly string[], rows: Rows, quoting: Quoting): string {
  const names = quoting.quoteColumns(key.map((name) => ({ name })));
  return `SELECT ${names}, count(*) AS times FROM ${from(rows, [], quoting)} GROUP BY ${names} HAVING count(*) > 1 LIMIT ${MOST_FOUND}`;
}

/** The rows of the user's SELECT. */
export function someOf(select: string): string {
  return `SELECT * FROM (\n${withoutSemicolon(select)}\n) AS query LIMIT ${MOST_FOUND}`;
}

/** One row, when there is one with this value in this column. */
export function rowsWith(
  {
    table,
    column,
    value,
  }: { readonly table: string; readonly column: string; readonly value: string },
  { quoteTable, quoteIdentifier, quoteLiteral }: Quoting,
): string {
  return `SELECT 1 AS found FROM ${quoteTable(table)} WHERE ${quoteIdentifier(column)} = ${quoteLiteral(value)} LIMIT 1`;
}

/** A line break after the user's SQL, so that a comment at its end does not swallow what follows. */
function from(
  { table, where }: Rows,
  conditions: readonly string[],
  { quoteTable }: Quoting,
): string {
  const all = [...conditions, ...(where === undefined ? [] : [`(${withoutSemicolon(where)}\n)`])];
  return `${quoteTable(table)}${all.length === 0 ? "" : ` WHERE ${all.join(" AND ")}`}`;
}
