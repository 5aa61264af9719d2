/** How many rows a table has now. */
import type { Source, Warehouse } from "../core/stores.ts";
import type { Slice } from "../sql/slice.ts";
import { statementsFor } from "../sql/statements.ts";

/** Counts a table of the source or of the warehouse, or one slice of it. */
export async function countRows(
  database: Source | Warehouse,
  table: string,
  options: { readonly slice?: Slice; readonly signal?: AbortSignal } = {},
): Promise<number> {
  const { slice, ...abort } = options;
  const { countRows: count } = statementsFor("dialect" in database ? database.dialect : "postgres");
  const [row] = await database.query<{ count: string }>(count(table, slice), [], abort);
  return Number(row?.count);
}
