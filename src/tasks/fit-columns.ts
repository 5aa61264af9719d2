/**
 * Whether files fit a table, decided before a byte is moved: the same columns in the same order, and types
 * that hold every value unchanged. What differs is named, with what to do about it.
 */
import { PermanentError } from "../core/errors.ts";
import type { Column, Dialect, TableColumn, Transaction } from "../core/stores.ts";
import { forRedshift } from "../sql/redshift/types.ts";
import { type Statements, statementsFor } from "../sql/statements.ts";
import type { LoadSource } from "./load-source.ts";

/** The files' columns as the reader sees them. Throws when the text was written for another reader. */
export function readableColumns(
  columns: readonly Column[],
  written: Dialect,
  reader: Dialect,
  table: string,
): readonly Column[] {
  const mapped = reader === "redshift" && written === "postgres" ? forRedshift(columns) : columns;
  const other =
    written === reader ? undefined : mapped.find(({ expression }) => expression !== undefined);
  if (other !== undefined) {
    throw new PermanentError(
      "DATASET_FOR_ANOTHER_DIALECT",
      `${table}: "${other.name}" (${other.pgType}) was written for ${written}, and ${reader} would read its text as something else. Write the dataset with dialect: "${reader}".`,
      { fields: { table, column: other.name } },
    );
  }
  return mapped;
}

/** The columns to load when a table is there already. */
export function fitColumns(
  transaction: Transaction,
  table: string,
  existing: readonly TableColumn[],
  { columns, names, dialect }: LoadSource,
  convert: boolean,
): readonly Column[] {
  const sql = statementsFor(transaction.dialect);
  if (columns === undefined) return namedColumns(sql, table, existing, names);
  const wanted = readableColumns(columns, dialect, transaction.dialect, table);
  requireSameColumns(transaction.dialect, sql, table, existing, wanted, convert);
  // The table's own spelling: Redshift folds names, so those of what it unloaded are not exact.
  return wanted.map((column, index) => ({ ...column, name: existing[index]?.name ?? column.name }));
}

/** All that can be written, or those that are named. */
function namedColumns(
  sql: Statements,
  table: string,
  existing: readonly TableColumn[],
  names: readonly string[] | undefined,
): readonly Column[] {
  if (names === undefined) return existing.filter(({ generated }) => !generated);
  return names.map((name) => {
    const found = existing.find((column) => sql.sameName(column.name, name));
    if (found !== undefined) return found;
    throw new PermanentError(
      "UNKNOWN_COLUMN",
      `${table} has no column ${JSON.stringify(name)}; it has ${existing.map((column) => `"${column.name}"`).join(", ")}`,
      { fields: { table } },
    );
  });
}

function requireSameColumns(
  dialect: Dialect,
  sql: Statements,
  table: string,
  existing: readonly TableColumn[],
  wanted: readonly Column[],
  convert: boolean,
): void {
  const refuse = (problem: string): never => {
    throw new PermanentError(
      "COLUMNS_DIFFER",
      `${table} in the warehouse does not fit the dataset: ${problem}. Alter the table, or drop it and let the load create it.`,
      { fields: { table } },
    );
  };
  const folded = wanted.some(({ redshiftType }) => redshiftType !== undefined);
  const sameName = folded ? statementsFor("redshift").sameName : sql.sameName;
  for (let index = 0; index < Math.max(existing.length, wanted.length); index++) {
    const here = existing[index];
    const there = wanted[index];
    const place = `column ${index + 1}`;
    if (here === undefined) return refuse(`${place}, "${there?.name}", is missing in the table`);
    if (there === undefined) return refuse(`${place}, "${here.name}", is missing in the dataset`);
    if (!sameName(here.name, there.name)) {
      return refuse(`${place} is "${here.name}" in the table and "${there.name}" in the dataset`);
    }
    if (here.generated) {
      return refuse(`"${here.name}" is generated in the table, so it cannot be loaded`);
    }
    const type = dialect === "redshift" ? (there.redshiftType ?? there.pgType) : there.pgType;
    if (!convert && !sql.holds(here.pgType, type)) {
      return refuse(
        `"${here.name}" is ${here.pgType} in the table, which cannot hold every ${type} of the dataset`,
      );
    }
  }
}
