/**
 * The only places where a name or a value becomes SQL text for Postgres. Other dialects differ
 * (Redshift's literals process backslashes), so these are not shared with them.
 */
import { UsageError } from "../../core/errors.ts";
import { parseTableName } from "../table-name.ts";

/** Longer names are cut by Postgres with no more than a notice. */
const MAX_NAME_BYTES = 63;

/** `"name"`, with quotes doubled. */
export function quoteIdentifier(name: string): string {
  if (name === "" || name.includes("\0") || Buffer.byteLength(name) > MAX_NAME_BYTES) {
    throw new UsageError(
      "IDENTIFIER_INVALID",
      `${JSON.stringify(name)} cannot be a name in Postgres: names have 1 to ${MAX_NAME_BYTES} bytes and no NUL`,
    );
  }
  return `"${name.replaceAll('"', '""')}"`;
}

/** `"shop"."orders"`, from `shop.orders`. */
export function quoteTable(name: string): string {
  const { schema, table } = parseTableName(name);
  return schema === undefined
    ? quoteIdentifier(table)
    : `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;
}

/** `'value'`, with quotes doubled. Needs `standard_conforming_strings`, on since Postgres 9.1. */
export function quoteLiteral(value: string): string {
  if (value.includes("\0")) {
    throw new UsageError("LITERAL_INVALID", "Postgres cannot hold a NUL character in text");
  }
  return `'${value.replaceAll("'", "''")}'`;
}

/** `"a", "b"`. */
export function quoteColumns(columns: readonly { readonly name: string }[]): string {
  return columns.map(({ name }) => quoteIdentifier(name)).join(", ");
}
