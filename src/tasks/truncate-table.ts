/**
 * Empties a table. `truncateTable` is a step; `TruncateTable` is the family around it. On Redshift
 * TRUNCATE commits the transaction that it is in, so inside of one the step never sends it.
 */
import { p } from "../core/params/p.ts";
import type { Step } from "../core/stores.ts";
import { truncateTable as truncateStatement } from "../sql/change-table.ts";
import { statementsFor } from "../sql/statements.ts";
import { sqlFamily } from "./sql-family.ts";

/**
 * A step that removes all rows. In `serially` it is a TRUNCATE: fast, and the space is free at once. In
 * `atomically` it is a DELETE: readers keep the old rows until the commit, and it can be rolled back.
 */
export function truncateTable(table: string): Step {
  return async (transaction) => {
    const sql = statementsFor(transaction.dialect);
    return await transaction.execute(
      transaction.mode === "serial" ? truncateStatement(table, sql) : sql.deleteRows(table),
    );
  };
}

/**
 * Empties `table` with a TRUNCATE of its own, then writes the marker. An attempt that dies in between
 * leaves an empty table, and the next one empties it again. `date` sets days apart.
 */
export const TruncateTable = sqlFamily({
  name: "TruncateTable",
  params: { table: p.table(), date: p.date() },
  table: ({ table }) => table,
  mode: "serial",
  steps: ({ params: { table } }) => [truncateTable(table)],
});
