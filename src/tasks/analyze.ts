/** Gathers the statistics that a planner goes by. `analyze` is a step; `Analyze` is the family around it. */
import { p } from "../core/params/p.ts";
import type { Step } from "../core/stores.ts";
import { analyzeTable } from "../sql/change-table.ts";
import { statementsFor } from "../sql/statements.ts";
import { sqlFamily } from "./sql-family.ts";

/** A step that analyzes a table, or some columns of it. After a load, in the same transaction, it pays. */
export function analyze(table: string, columns: readonly string[] = []): Step {
  return async (transaction) => {
    await transaction.execute(analyzeTable(table, columns, statementsFor(transaction.dialect)));
    return 0;
  };
}

/** Analyzes `table`, in one transaction with its marker. `date` sets days apart. */
export const Analyze = sqlFamily({
  name: "Analyze",
  params: { table: p.table(), date: p.date(), columns: p.list(p.identifier()).optional() },
  table: ({ table }) => table,
  steps: ({ params: { table, columns } }) => [analyze(table, columns)],
});
