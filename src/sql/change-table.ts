/**
 * Statements about a whole table that the dialects write alike, but for quoting: drop, truncate,
 * rename, analyze. Pure text.
 */
import type { Quoting } from "./quoting.ts";

export function dropTable(
  table: string,
  { cascade = false }: { readonly cascade?: boolean | undefined },
  { quoteTable }: Quoting,
): string {
  return `DROP TABLE IF EXISTS ${quoteTable(table)}${cascade ? " CASCADE" : ""}`;
}

export function truncateTable(table: string, { quoteTable }: Quoting): string {
  return `TRUNCATE TABLE ${quoteTable(table)}`;
}

/** The table stays in its schema. */
export function renameTable(
  table: string,
  to: string,
  { quoteTable, quoteIdentifier }: Quoting,
): string {
  return `ALTER TABLE ${quoteTable(table)} RENAME TO ${quoteIdentifier(to)}`;
}

/** All columns unless some are named. */
export function analyzeTable(
  table: string,
  columns: readonly string[],
  { quoteTable, quoteColumns }: Quoting,
): string {
  const list = columns.length === 0 ? "" : ` (${quoteColumns(columns.map((name) => ({ name })))})`;
  return `ANALYZE ${quoteTable(table)}${list}`;
}
