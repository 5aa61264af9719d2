/** How many rows a table has now. */
import type { Source, Warehouse } from "../core/stores.ts";
import { countRows as countStatement, type Slice } from "../sql/postgres/write.ts";

/** Counts a table of the source or of the warehouse, or one slice of it. */
export async function countRows(
  database: Source | Warehouse,
  table: string,
  options: { readonly slice?: Slice; readonly signal?: AbortSignal } = {},
): Promise<number> {
  const { slice, ...abort } = options;
  const [row] = await database.query<{ count: string }>(countStatement(table, slice), [], abort);
  return Number(row?.count);
}
