/** The statements that fill a table of a Postgres warehouse. Pure text. */
import type { Column } from "../../core/stores.ts";
import { writeStatements } from "../write.ts";
import * as quote from "./quote.ts";

export const { createSchema, deleteRows, countRows, insertSelect } = writeStatements(quote);

/** The schema, when the name has one, and the table. Types pass through: they come from a catalog. */
export function createTable(table: string, columns: readonly Column[]): string[] {
  const definitions = columns.map(({ name, pgType }) => `${quote.quoteIdentifier(name)} ${pgType}`);
  return [
    ...createSchema(table),
    `CREATE TABLE ${quote.quoteTable(table)} (${definitions.join(", ")})`,
  ];
}

/**
 * One writer at a time; readers go on. Without it, two replacements of one table that overlap both
 * delete the old rows and both add theirs.
 */
export function lockTable(table: string): string {
  return `LOCK TABLE ${quote.quoteTable(table)} IN SHARE ROW EXCLUSIVE MODE`;
}

export function copyIn(table: string, columns: readonly Column[], nullText: string): string {
  return `COPY ${quote.quoteTable(table)} (${quote.quoteColumns(columns)}) FROM STDIN WITH (FORMAT csv, NULL ${quote.quoteLiteral(nullText)}, ENCODING 'UTF8')`;
}
