/**
 * Reclaims space, and on Redshift sorts. `vacuum` is a step for `serially`: neither server vacuums inside
 * of a transaction. `Vacuum` is the family around it.
 */
import { UsageError } from "../core/errors.ts";
import { p } from "../core/params/p.ts";
import type { Step } from "../core/stores.ts";
import { statementsFor } from "../sql/statements.ts";
import { VACUUM_MODES, vacuum as vacuumStatements, type VacuumOptions } from "../sql/vacuum.ts";
import { sqlFamily } from "./sql-family.ts";

/** A step that vacuums a table. Only `serially` takes it. */
export function vacuum(table: string, options: VacuumOptions = {}): Step {
  return async (transaction) => {
    if (transaction.mode === "atomic") {
      throw new UsageError(
        "VACUUM_IN_TRANSACTION",
        `vacuum of ${table}: no server runs VACUUM inside of a transaction. Give the step to warehouse.serially(), or require the task Vacuum.`,
      );
    }
    const { dialect } = transaction;
    for (const sql of vacuumStatements(table, options, dialect, statementsFor(dialect))) {
      await transaction.execute(sql);
    }
    return 0;
  };
}

/**
 * Vacuums `table`, then writes the marker. An attempt that dies in between is harmless: the next one
 * finds less to do. `date` sets days apart.
 */
export const Vacuum = sqlFamily({
  name: "Vacuum",
  params: {
    table: p.table(),
    date: p.date(),
    mode: p.choice(VACUUM_MODES).optional(),
    analyze: p.bool().default(false),
  },
  table: ({ table }) => table,
  mode: "serial",
  steps: ({ params: { table, mode, analyze } }) => [vacuum(table, { mode, analyze })],
});
