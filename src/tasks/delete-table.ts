/** Drops a table. `deleteTable` is a step; `DeleteTable` is the family around it. */
import { p } from "../core/params/p.ts";
import type { Step } from "../core/stores.ts";
import { dropTable } from "../sql/change-table.ts";
import { statementsFor } from "../sql/statements.ts";
import { sqlFamily } from "./sql-family.ts";

/**
 * A step that drops a table if it is there. `cascade` drops the views on it, too: without it, one
 * view is enough to refuse.
 */
export function deleteTable(table: string, options: { readonly cascade?: boolean } = {}): Step {
  return async (transaction) => {
    await transaction.execute(dropTable(table, options, statementsFor(transaction.dialect)));
    return 0;
  };
}

/** Drops `table` if it is there, in one transaction with its marker. `date` sets days apart. */
export const DeleteTable = sqlFamily({
  name: "DeleteTable",
  params: { table: p.table(), date: p.date(), cascade: p.bool().default(false) },
  table: ({ table }) => table,
  steps: ({ params: { table, cascade } }) => [deleteTable(table, { cascade })],
});
