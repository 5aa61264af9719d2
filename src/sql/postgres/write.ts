/** The statements that fill a warehouse table. Pure text. */
import type { Column } from "../../core/stores.ts";
import { parseTableName } from "../table-name.ts";
import { quoteColumns, quoteIdentifier, quoteLiteral, quoteTable } from "./quote.ts";
import { withoutSemicolon } from "./select.ts";

/** Rows whose date or timestamp in `column` falls on one day. */
export interface Slice {
  readonly column: string;
  /** The day and the one after it, as `YYYY-MM-DD`. */
  readonly from: string;
  readonly before: string;
}

/** The schema, when the name has one, and the table. Types pass through: they come from a catalog. */
export function createTable(table: string, columns: readonly Column[]): string[] {
  const { schema } = parseTableName(table);
  const definitions = columns.map(({ name, pgType }) => `${quoteIdentifier(name)} ${pgType}`);
  return [
    ...(schema === undefined ? [] : [`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(schema)}`]),
    `CREATE TABLE ${quoteTable(table)} (${definitions.join(", ")})`,
  ];
}

/**
 * One writer at a time; readers go on. Without it, two replacements of one table that overlap both
 * delete the old rows and both add theirs.
 */
export function lockTable(table: string): string {
  return `LOCK TABLE ${quoteTable(table)} IN SHARE ROW EXCLUSIVE MODE`;
}

/** DELETE and not TRUNCATE: readers keep the old rows until the commit. */
export function deleteRows(table: string, slice?: Slice): string {
  return `DELETE FROM ${quoteTable(table)}${slice === undefined ? "" : ` WHERE ${within(slice)}`}`;
}

export function countRows(table: string, slice?: Slice): string {
  return `SELECT count(*) FROM ${quoteTable(table)}${slice === undefined ? "" : ` WHERE ${within(slice)}`}`;
}

/** Half open, so that it is right for dates and for timestamps. */
function within({ column, from, before }: Slice): string {
  const name = quoteIdentifier(column);
  return `${name} >= DATE ${quoteLiteral(from)} AND ${name} < DATE ${quoteLiteral(before)}`;
}

export function insertSelect(table: string, columns: readonly Column[], select: string): string {
  const names = quoteColumns(columns);
  return `INSERT INTO ${quoteTable(table)} (${names}) SELECT ${names} FROM (\n${withoutSemicolon(select)}\n) AS query`;
}

export function copyIn(table: string, columns: readonly Column[], nullText: string): string {
  return `COPY ${quoteTable(table)} (${quoteColumns(columns)}) FROM STDIN WITH (FORMAT csv, NULL ${quoteLiteral(nullText)}, ENCODING 'UTF8')`;
}
