/**
 * The marker table on Redshift, in the form that Luigi made (`update_id`, `target_table`, `inserted`):
 * rows that Luigi wrote count. Redshift enforces no keys, so two attempts could both insert; the fence
 * is a table that is locked just before the marker is looked for and written. Pure text.
 */
export { MARKER_TABLE } from "../postgres/marker.ts";
import { MARKER_TABLE } from "../postgres/marker.ts";
import { quoteIdentifier, quoteLiteral } from "./quote.ts";

/** Empty for ever: only its lock is used. */
export const FENCE_TABLE = "table_updates_fence";

const table = quoteIdentifier(MARKER_TABLE);

/** TEXT, which Luigi used, is VARCHAR(256) on Redshift. */
export const CREATE_MARKER_TABLE = `CREATE TABLE IF NOT EXISTS ${table} ("update_id" VARCHAR(1024) PRIMARY KEY, "target_table" VARCHAR(1024), "inserted" TIMESTAMP)`;
export const CREATE_FENCE_TABLE = `CREATE TABLE IF NOT EXISTS ${quoteIdentifier(FENCE_TABLE)} ("fence" SMALLINT)`;

/**
 * Not the marker table itself: a transaction may hold an old snapshot of that, so the marker is looked
 * for by another session, which a lock on it would keep out.
 */
export const LOCK_FENCE = `LOCK ${quoteIdentifier(FENCE_TABLE)}`;

export function selectMarker(updateId: string): string {
  return `SELECT 1 FROM ${table} WHERE "update_id" = ${quoteLiteral(updateId)}`;
}

export function deleteMarker(updateId: string): string {
  return `DELETE FROM ${table} WHERE "update_id" = ${quoteLiteral(updateId)}`;
}

export function insertMarker(marker: {
  readonly updateId: string;
  readonly table: string;
}): string {
  const values = [marker.updateId, marker.table].map(quoteLiteral).join(", ");
  return `INSERT INTO ${table} ("update_id", "target_table", "inserted") VALUES (${values}, GETDATE())`;
}
