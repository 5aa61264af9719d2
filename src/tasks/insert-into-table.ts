/**
 * Adds the rows of a SELECT to a table that is there. What is replaced is `replaceFromSelect`'s to say:
 * this one only adds, once for each task. `insertIntoTable` is a step for `atomically`.
 */
import { PermanentError } from "../core/errors.ts";
import { p } from "../core/params/p.ts";
import type { Step } from "../core/stores.ts";
import { statementsFor } from "../sql/statements.ts";
import { sqlFamily } from "./sql-family.ts";

/**
 * A step that adds the rows of `select` to `table`, column by column of the same name. Columns that the
 * SELECT does not give get their defaults.
 */
export function insertIntoTable(table: string, select: string): Step {
  return async (transaction) => {
    const sql = statementsFor(transaction.dialect);
    const existing = await transaction.describe(table);
    const columns = await transaction.columnsOf(select);
    if (existing !== undefined) {
      const unknown = columns.find(
        ({ name }) => !existing.some((column) => sql.sameName(column.name, name)),
      );
      if (unknown !== undefined) {
        throw new PermanentError(
          "UNKNOWN_COLUMN",
          `${table} has no column "${unknown.name}", which the SELECT gives; it has ${existing.map(({ name }) => `"${name}"`).join(", ")}`,
          { fields: { table } },
        );
      }
    }
    return await transaction.execute(sql.insertSelect(table, columns, select));
  };
}

/** Adds the rows of `query` to `table`. `date` sets one day's task apart from another's. */
export const InsertIntoTable = sqlFamily({
  name: "InsertIntoTable",
  params: { table: p.table(), query: p.text(), date: p.date() },
  table: ({ table }) => table,
  steps: ({ params }) => [insertIntoTable(params.table, params.query)],
});
