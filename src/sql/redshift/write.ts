/** The statements that fill a table of Redshift. Pure text. */
import type { Column } from "../../core/stores.ts";
import { writeStatements } from "../write.ts";
import { explicitLength } from "./column-types.ts";
import * as quote from "./quote.ts";

export const { createSchema, deleteRows, countRows, insertSelect } = writeStatements(quote);

/** The schema, when the name has one, and the table. Redshift chooses sort keys, distribution and encodings. */
export function createTable(table: string, columns: readonly Column[]): string[] {
  const definitions = columns.map(
    ({ name, pgType, redshiftType = pgType }) =>
      `${quote.quoteIdentifier(name)} ${explicitLength(redshiftType)}`,
  );
  return [
    ...createSchema(table),
    `CREATE TABLE ${quote.quoteTable(table)} (${definitions.join(", ")})`,
  ];
}

/**
 * One writer at a time, and readers wait too: Redshift knows no weaker lock. It is the first statement
 * of a load, so that the snapshot is taken when the former holder has committed.
 */
export function lockTable(table: string): string {
  return `LOCK ${quote.quoteTable(table)}`;
}
