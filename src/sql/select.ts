/** A user's SELECT inside our statements. */
import type { Quoting } from "./quoting.ts";

/**
 * Without the semicolon that people end it with. Callers put a line break after it, so that a comment
 * at its end does not swallow what follows.
 */
export function withoutSemicolon(select: string): string {
  return select.trim().replace(/[;\s]+$/, "");
}

/** All of a table. */
export function selectTable(table: string, { quoteTable }: Quoting): string {
  return `SELECT * FROM ${quoteTable(table)}`;
}

/** Gives no rows, and the columns of `select`. */
export function noRows(select: string): string {
  return `SELECT * FROM (\n${withoutSemicolon(select)}\n) AS query LIMIT 0`;
}
