/** Statements of the user's own, in one transaction with their marker. In code, a step is just a string. */
import { p } from "../core/params/p.ts";
import { sqlFamily } from "./sql-family.ts";

/**
 * Runs `sql`, one statement or several: all of them and the marker, or nothing. `table` is what they
 * write; `date` sets days apart. What cannot be in a transaction has a family of its own: `Vacuum`,
 * `TruncateTable`.
 */
export const RunSql = sqlFamily({
  name: "RunSql",
  params: { sql: p.text(), table: p.table(), date: p.date() },
  table: ({ table }) => table,
  steps: ({ params: { sql } }) => [sql],
});
