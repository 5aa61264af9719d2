/**
 * What a table is declared as: columns, keys, and what only Redshift has. Checked before any SQL is
 * built from it, so that a mistake is named where it was written. Knows no dialect's text.
 */
import { UsageError } from "../core/errors.ts";
import { parseTableName } from "./table-name.ts";

export interface ColumnDefinition {
  readonly name: string;
  /** As the dialect writes it: `bigint`, `numeric(10,2)`, `timestamp with time zone`. */
  readonly type: string;
  readonly notNull?: boolean | undefined;
  /** An SQL expression: `0`, `'new'`, `current_date`. */
  readonly default?: string | undefined;
}

/** What Redshift has and Postgres has not. On Postgres it is left out: there is nothing to tune. */
export interface RedshiftAttributes {
  /** Default: Redshift chooses (`auto`). */
  readonly distStyle?: "auto" | "even" | "all" | "key" | undefined;
  /** Rows with the same value in this column are on the same slice. */
  readonly distKey?: string | undefined;
  /** Compound: rows are sorted by the first column, then by the next. */
  readonly sortKey?: readonly string[] | undefined;
  /** Compression by column: `{ id: "az64", note: "zstd" }`. */
  readonly encode?: Readonly<Record<string, string>> | undefined;
}

export interface TableDefinition {
  readonly table: string;
  readonly columns: readonly ColumnDefinition[];
  /** Enforced by Postgres. Redshift only believes it: the planner relies on it, duplicates get in. */
  readonly primaryKey?: readonly string[] | undefined;
  readonly redshift?: RedshiftAttributes | undefined;
}

/** A name, perhaps of several words or with a schema, then a length, a time zone, brackets. */
const TYPE = /^[\p{L}_"][\p{L}\p{N}_ ."]*(\([\w, ]+\))?[\p{L} ]*(\[\d*\])*$/u;
const ENCODING = /^[A-Za-z0-9]+$/;

/** Throws a `UsageError` that names the table and what is wrong with its definition. */
export function checkDefinition({
  table,
  columns,
  primaryKey = [],
  redshift = {},
}: TableDefinition): void {
  parseTableName(table);
  const refuse = (problem: string): never => {
    throw new UsageError("TABLE_DEFINITION_INVALID", `table ${table}: ${problem}`);
  };
  if (columns.length === 0) refuse("it has no columns: give at least one");
  // Folded, because Redshift folds: two names that differ in case only are one there.
  const names = new Set<string>();
  for (const { name, type } of columns) {
    if (names.has(name.toLowerCase())) refuse(`there are two columns "${name}": rename one`);
    names.add(name.toLowerCase());
    if (!TYPE.test(type)) {
      refuse(`"${name}" has ${JSON.stringify(type)}, which is no type: write one like "bigint"`);
    }
  }
  const requireColumns = (what: string, used: readonly string[]): void => {
    const missing = used.find((name) => !names.has(name.toLowerCase()));
    if (missing === undefined) return;
    const known = columns.map(({ name }) => `"${name}"`).join(", ");
    refuse(`${what} names "${missing}", which is no column of it. Columns: ${known}`);
  };
  const { distStyle, distKey, sortKey = [], encode = {} } = redshift;
  requireColumns("primaryKey", primaryKey);
  requireColumns("sortKey", sortKey);
  requireColumns("encode", Object.keys(encode));
  if (distKey !== undefined) requireColumns("distKey", [distKey]);
  if (distKey !== undefined && distStyle !== undefined && distStyle !== "key") {
    refuse(`distStyle is "${distStyle}", so there can be no distKey: leave one of them out`);
  }
  if (distKey === undefined && distStyle === "key") refuse('distStyle "key" needs a distKey');
  const odd = Object.values(encode).find((encoding) => !ENCODING.test(encoding));
  if (odd !== undefined) {
    refuse(`${JSON.stringify(odd)} is no encoding: write one like "zstd", "az64" or "raw"`);
  }
}
