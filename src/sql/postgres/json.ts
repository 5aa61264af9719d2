/** The statements that load lines of JSON into a Postgres table, by way of a temporary one. Pure text. */
import type { Column } from "../../core/stores.ts";
import { quoteColumns, quoteTable } from "./quote.ts";

const STAGE = "sluice_json";

/** Lines are loaded as they are: a CSV whose quote and delimiter no JSON text can contain. */
const AS_LINES = String.raw`FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02', ENCODING 'UTF8'`;

export const CREATE_JSON_STAGE = `CREATE TEMPORARY TABLE "${STAGE}" ("document" jsonb) ON COMMIT DROP`;
export const COPY_JSON = `COPY "${STAGE}" ("document") FROM STDIN WITH (${AS_LINES})`;

/** Keys are the columns' names; what is missing in an object is NULL, what is no column is passed over. */
export function insertJson(table: string, columns: readonly Column[]): string {
  const names = quoteColumns(columns);
  return `INSERT INTO ${quoteTable(table)} (${names}) SELECT ${names} FROM (SELECT (jsonb_populate_record(NULL::${quoteTable(table)}, "document")).* FROM "${STAGE}") AS row`;
}
