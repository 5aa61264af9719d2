/**
 * A table of the warehouse that is there, whoever made it. It proves nothing about its rows: for those
 * there is `tableMarker`, written with them, and `partitionExists`.
 */
import type { Target, TargetHandle } from "../core/target.ts";
import { parseTableName } from "../sql/table-name.ts";

export interface TableExists extends TargetHandle {
  readonly table: string;
}

/**
 * ```ts
 * defineExternal({ name: "Currencies", output: () => tableExists("finance.currencies") });
 * ```
 */
export function tableExists(table: string): Target<TableExists> {
  parseTableName(table);
  return {
    kind: "table",
    bind: ({ stores }) => ({
      table,
      location: `table ${table}`,
      exists: async () => (await stores.warehouse.describe(table)) !== undefined,
    }),
  };
}
