/**
 * Rows of a table of the warehouse with one value in one column: the day that somebody else loads. One
 * row is enough, so it says that a load has begun, not that it has ended: it is for writers that commit
 * a partition as a whole.
 */
import type { Temporal } from "temporal-polyfill";
import type { Target, TargetHandle } from "../core/target.ts";
import { rowsWith } from "../sql/checks.ts";
import { statementsFor } from "../sql/statements.ts";
import { parseTableName } from "../sql/table-name.ts";

export interface PartitionExists extends TargetHandle {
  readonly table: string;
  readonly column: string;
  /** As text, which the warehouse reads as a value of the column. */
  readonly value: string;
}

/**
 * ```ts
 * defineExternal({
 *   name: "Rates",
 *   params: { date: p.date() },
 *   output: ({ date }) => partitionExists("finance.rates", "day", date),
 * });
 * ```
 *
 * A table that is not there has no partitions. A column that is not there is an error.
 */
export function partitionExists(
  table: string,
  column: string,
  value: string | number | bigint | Temporal.PlainDate,
): Target<PartitionExists> {
  parseTableName(table);
  const text = String(value);
  return {
    kind: "partition",
    bind: ({ stores: { warehouse }, signal }) => ({
      table,
      column,
      value: text,
      location: `rows of ${table} with ${column} = ${text}`,
      async exists() {
        if ((await warehouse.describe(table)) === undefined) return false;
        const sql = rowsWith({ table, column, value: text }, statementsFor(warehouse.dialect));
        return (await warehouse.query(sql, [], { signal })).length > 0;
      },
    }),
  };
}
