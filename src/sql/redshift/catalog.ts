/** Looks at Redshift's catalog. Only tables of the 8.0 catalog, which every kind of cluster lets one read. */
import { parseTableName } from "../table-name.ts";
import { quoteLiteral } from "./quote.ts";

/** The columns of a table or view, in order; no rows when there is none. Names in the catalog are lower case. */
export function columnsOfTable(name: string): string {
  const { schema, table } = parseTableName(name);
  const place =
    schema === undefined
      ? "pg_table_is_visible(c.oid)"
      : `n.nspname = ${quoteLiteral(schema.toLowerCase())}`;
  return [
    "SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type",
    "FROM pg_class AS c",
    "JOIN pg_namespace AS n ON n.oid = c.relnamespace",
    "JOIN pg_attribute AS a ON a.attrelid = c.oid",
    `WHERE c.relname = ${quoteLiteral(table.toLowerCase())} AND ${place}`,
    "AND c.relkind IN ('r', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped",
    "ORDER BY a.attnum",
  ].join(" ");
}

/** The names of types, each in a column of its own: Redshift cannot unnest an array. */
export function namesOfTypes(
  types: readonly { readonly oid: number; readonly modifier: number }[],
): string {
  const names = types.map(
    ({ oid, modifier }, index) => `format_type(${oid}, ${modifier}) AS t${index}`,
  );
  return `SELECT ${names.join(", ")}`;
}

/** What went wrong with the COPY that this session ran last, on every kind of cluster. */
export const LOAD_ERROR =
  "SELECT file_name, line_number, column_name, column_type, error_code, error_message FROM sys_load_error_detail WHERE query_id = pg_last_copy_id() ORDER BY start_time LIMIT 1";

/** The same with the value, where the older tables may be read: not on Serverless, not on Multi-AZ. */
export const LOAD_ERROR_WITH_VALUE =
  "SELECT filename AS file_name, line_number, colname AS column_name, type AS column_type, err_code AS error_code, err_reason AS error_message, raw_field_value FROM stl_load_errors WHERE query = pg_last_copy_id() ORDER BY starttime LIMIT 1";

export const LAST_COPY_COUNT = "SELECT pg_last_copy_count() AS rows";
export const LAST_UNLOAD_COUNT = "SELECT pg_last_unload_count() AS rows";
