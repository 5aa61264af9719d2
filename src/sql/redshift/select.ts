/** The columns of a user's SELECT, or what stands in their place. Pure text. */
import type { Column } from "../../core/stores.ts";
import { withoutSemicolon } from "../select.ts";
import { quoteIdentifier } from "./quote.ts";

export function selectColumns(columns: readonly Column[], query: string): string {
  const selected = columns.map(({ name, expression }) =>
    expression === undefined ? quoteIdentifier(name) : `${expression} AS ${quoteIdentifier(name)}`,
  );
  return `SELECT ${selected.join(", ")} FROM (\n${withoutSemicolon(query)}\n) AS query`;
}
