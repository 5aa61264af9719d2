/** Renames a table within its schema. `renameTable` is a step; `RenameTable` is the family around it. */
import { PermanentError } from "../core/errors.ts";
import { p } from "../core/params/p.ts";
import type { Step } from "../core/stores.ts";
import { renameTable as renameStatement } from "../sql/change-table.ts";
import { statementsFor } from "../sql/statements.ts";
import { parseTableName } from "../sql/table-name.ts";
import { sqlFamily } from "./sql-family.ts";

/**
 * A step that gives a table another name in the same schema. Grants stay with the table. On Redshift,
 * other sessions may see the new name before the commit: to replace what is read meanwhile, use
 * `replaceFromSelect`.
 */
export function renameTable(table: string, to: string): Step {
  const { schema } = parseTableName(table);
  const renamed = schema === undefined ? to : `${schema}.${to}`;
  return async (transaction) => {
    if (!transaction.printed && (await transaction.describe(renamed)) !== undefined) {
      throw new PermanentError(
        "TABLE_EXISTS",
        `${table} cannot be renamed to "${to}": there is a table ${renamed} already. Drop it first (deleteTable), in the same transaction if you like.`,
        { fields: { table } },
      );
    }
    await transaction.execute(renameStatement(table, to, statementsFor(transaction.dialect)));
    return 0;
  };
}

/** Renames `table` to `to`, in one transaction with its marker. `date` sets days apart. */
export const RenameTable = sqlFamily({
  name: "RenameTable",
  params: { table: p.table(), to: p.identifier(), date: p.date() },
  table: ({ table }) => table,
  steps: ({ params: { table, to } }) => [renameTable(table, to)],
});
