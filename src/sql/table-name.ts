/**
 * Table names as text: `orders` or `shop.orders`. Each part is the exact name in the catalog, so
 * `shop.Orders` is not `shop.orders`. A name that itself contains a dot cannot be said this way.
 */
import { UsageError } from "../core/errors.ts";

export interface TableName {
  /** Absent: the search path of the connection decides. */
  readonly schema?: string;
  readonly table: string;
}

/** Takes `shop.orders` apart. Throws a `UsageError` that shows the text. */
export function parseTableName(text: string): TableName {
  const parts = text.split(".");
  const [first = "", second = ""] = parts;
  if (parts.length > 2 || first === "" || (parts.length === 2 && second === "")) {
    throw new UsageError(
      "TABLE_NAME_INVALID",
      `expected a table like "orders" or "shop.orders", got ${JSON.stringify(text)}`,
    );
  }
  return parts.length === 2 ? { schema: first, table: second } : { table: first };
}
