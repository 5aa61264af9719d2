/** The statements that fill a warehouse table and are the same in every dialect but for quoting. */
import type { Column } from "../core/stores.ts";
import type { Quoting } from "./quoting.ts";
import { withoutSemicolon } from "./select.ts";
import { type Slice, whereSlice } from "./slice.ts";
import { parseTableName } from "./table-name.ts";

export function writeStatements(quoting: Quoting) {
  const { quoteIdentifier, quoteTable, quoteColumns } = quoting;
  return {
    /** The table's schema, when its name has one. */
    createSchema: (table: string): readonly string[] => {
      const { schema } = parseTableName(table);
      return schema === undefined ? [] : [`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(schema)}`];
    },
    /** DELETE and not TRUNCATE: readers keep the old rows until the commit. */
    deleteRows: (table: string, slice?: Slice): string =>
      `DELETE FROM ${quoteTable(table)}${whereSlice(slice, quoting)}`,
    countRows: (table: string, slice?: Slice): string =>
      `SELECT count(*) FROM ${quoteTable(table)}${whereSlice(slice, quoting)}`,
    insertSelect: (table: string, columns: readonly Column[], select: string): string => {
      const names = quoteColumns(columns);
      return `INSERT INTO ${quoteTable(table)} (${names}) SELECT ${names} FROM (\n${withoutSemicolon(select)}\n) AS query`;
    },
  };
}
