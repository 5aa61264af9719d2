/**
 * The marker table, in the form that Luigi made for Postgres (`update_id`, `target_table`,
 * `inserted`): rows that Luigi wrote count. Pure text.
 */
import { quoteIdentifier, quoteLiteral } from "./quote.ts";

/** Luigi's default name. It has no schema, so the search path of the role decides, as with Luigi. */
export const MARKER_TABLE = "table_updates";

const table = quoteIdentifier(MARKER_TABLE);

export const CREATE_MARKER_TABLE = `CREATE TABLE IF NOT EXISTS ${table} (update_id TEXT PRIMARY KEY, target_table TEXT, inserted TIMESTAMP)`;

export function selectMarker(updateId: string): string {
  return `SELECT 1 FROM ${table} WHERE update_id = ${quoteLiteral(updateId)}`;
}

export function deleteMarker(updateId: string): string {
  return `DELETE FROM ${table} WHERE update_id = ${quoteLiteral(updateId)}`;
}

/** No row when another transaction's is there: `inserted` as Luigi writes it, whose table has no default for it. */
export function insertMarker(marker: {
  readonly updateId: string;
  readonly table: string;
}): string {
  const values = [marker.updateId, marker.table].map(quoteLiteral).join(", ");
  return `INSERT INTO ${table} (update_id, target_table, inserted) VALUES (${values}, now()) ON CONFLICT DO NOTHING`;
}
