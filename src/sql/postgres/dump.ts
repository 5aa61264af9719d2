/** The statements of a dump: one snapshot, a COPY for each share of the rows. Pure text. */
import type { Column } from "../../core/stores.ts";
import { needsQuotes } from "./column-types.ts";
import type { Share } from "./dump-shares.ts";
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

/** Lends the snapshot to other sessions, until this transaction ends. */
export const EXPORT_SNAPSHOT = "SELECT pg_export_snapshot() AS snapshot";

/** Opens the transaction of a further session, which sees what the first one sees. */
export function joinDump(snapshot: string): string[] {
  const [begin = "", ...settings] = BEGIN_DUMP;
  return [begin, `SET TRANSACTION SNAPSHOT ${quoteLiteral(snapshot)}`, ...settings];
}

/** What is dumped, as it stands behind FROM. */
export function fromOf(relation: Relation): string {
  return "table" in relation
    ? quoteTable(relation.table)
    : `(\n${withoutSemicolon(relation.query)}\n) AS query`;
}

/** `COPY (SELECT …) TO STDOUT`, as CSV in which NULL is `nullText` and text is always quoted. */
export function copyOut(
  relation: Relation,
  columns: readonly Column[],
  nullText: string,
  { from = fromOf(relation), where }: Share = {},
): string {
  const condition = where === undefined ? "" : ` WHERE ${where}`;
  const select = `SELECT ${selected(columns)} FROM ${from}${condition}`;
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
