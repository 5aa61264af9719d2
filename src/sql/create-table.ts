/** `CREATE TABLE` from a definition, in both dialects. Pure text; the definition was checked before. */
import type { Dialect } from "../core/stores.ts";
import type { Quoting } from "./quoting.ts";
import { explicitLength } from "./redshift/column-types.ts";
import type { ColumnDefinition, RedshiftAttributes, TableDefinition } from "./table-definition.ts";

export function createTable(
  { table, columns, primaryKey = [], redshift = {} }: TableDefinition,
  { ifNotExists }: { readonly ifNotExists: boolean },
  dialect: Dialect,
  quoting: Quoting,
): string {
  const list = (names: readonly string[]) => quoting.quoteColumns(names.map((name) => ({ name })));
  const definitions = columns.map((column) =>
    dialect === "redshift"
      ? redshiftColumn(column, encodingOf(column, redshift), quoting)
      : postgresColumn(column, quoting),
  );
  const key = primaryKey.length === 0 ? [] : [`PRIMARY KEY (${list(primaryKey)})`];
  return [
    `CREATE TABLE${ifNotExists ? " IF NOT EXISTS" : ""} ${quoting.quoteTable(table)} (${[...definitions, ...key].join(", ")})`,
    ...(dialect === "redshift" ? tableAttributes(redshift, list) : []),
  ].join(" ");
}

function postgresColumn(column: ColumnDefinition, { quoteIdentifier }: Quoting): string {
  return [quoteIdentifier(column.name), column.type, ...defaultOf(column), ...notNull(column)].join(
    " ",
  );
}

/** Its grammar wants the attributes before the constraints: `DEFAULT`, `ENCODE`, then `NOT NULL`. */
function redshiftColumn(
  column: ColumnDefinition,
  encoding: string | undefined,
  { quoteIdentifier }: Quoting,
): string {
  return [
    quoteIdentifier(column.name),
    explicitLength(column.type),
    ...defaultOf(column),
    ...(encoding === undefined ? [] : [`ENCODE ${encoding.toUpperCase()}`]),
    ...notNull(column),
  ].join(" ");
}

function defaultOf({ default: expression }: ColumnDefinition): string[] {
  return expression === undefined ? [] : [`DEFAULT ${expression}`];
}

function notNull(column: ColumnDefinition): string[] {
  return column.notNull === true ? ["NOT NULL"] : [];
}

/** Names are folded: `encode` may spell a column in another case. */
function encodingOf({ name }: ColumnDefinition, { encode = {} }: RedshiftAttributes) {
  const isIt = ([column]: readonly [string, string]) => column.toLowerCase() === name.toLowerCase();
  return Object.entries(encode).find(isIt)?.[1];
}

function tableAttributes(
  { distStyle, distKey, sortKey = [] }: RedshiftAttributes,
  list: (names: readonly string[]) => string,
): string[] {
  const style = distStyle ?? (distKey === undefined ? undefined : "key");
  return [
    ...(style === undefined ? [] : [`DISTSTYLE ${style.toUpperCase()}`]),
    ...(distKey === undefined ? [] : [`DISTKEY (${list([distKey])})`]),
    ...(sortKey.length === 0 ? [] : [`SORTKEY (${list(sortKey)})`]),
  ];
}
