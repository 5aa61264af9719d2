/** The statements of a dump: one snapshot, one COPY. Pure text. */
import type { Column } from "../../core/stores.ts";
import { needsQuotes } from "./column-types.ts";
import { quoteColumns, quoteIdentifier, quoteLiteral, quoteTable } from "./quote.ts";
import { withoutSemicolon } from "../select.ts";
import { BEGIN_DUMP } from "./settings.ts";

/** What is dumped, as found in the catalog. */
export type Relation =
  | { readonly table: string; readonly lockable: boolean }
  | { readonly query: string };

/**
 * Opens the transaction. The lock comes before anything takes the snapshot: a snapshot that is older
 * than a concurrent TRUNCATE reads 0 rows, silently (measured).
 */
export function openDump(relation: Relation): string[] {
  const begin = [...BEGIN_DUMP];
  if ("table" in relation && relation.lockable) {
    begin.push(`LOCK TABLE ${quoteTable(relation.table)} IN ACCESS SHARE MODE`);
  }
  return begin;
}

/** `COPY (SELECT …) TO STDOUT`, as CSV in which NULL is `nullText` and text is always quoted. */
export function copyOut(relation: Relation, columns: readonly Column[], nullText: string): string {
  const select =
    "table" in relation
      ? `SELECT ${selected(columns)} FROM ${quoteTable(relation.table)}`
      : `SELECT ${selected(columns)} FROM (\n${withoutSemicolon(relation.query)}\n) AS query`;
  const quoted = columns.filter(
    ({ pgType, expression }) => expression !== undefined || needsQuotes(pgType),
  );
  const options = [
    "FORMAT csv",
    `NULL ${quoteLiteral(nullText)}`,
    ...(quoted.length > 0 ? [`FORCE_QUOTE (${quoteColumns(quoted)})`] : []),
    "ENCODING 'UTF8'",
  ];
  return `COPY (${select}) TO STDOUT WITH (${options.join(", ")})`;
}

function selected(columns: readonly Column[]): string {
  return columns
    .map(({ name, expression }) =>
      expression === undefined
        ? quoteIdentifier(name)
        : `${expression} AS ${quoteIdentifier(name)}`,
    )
    .join(", ");
}
