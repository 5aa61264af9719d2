/** The table that a COPY loads, as the session sees it: also a temporary one, also an uncommitted one. */

import type { Backend } from "../backend.ts";
import type { CopyStatement } from "../sql/copy-statement.ts";
import { literal, quotedName } from "../sql/token.ts";
import { SqlError } from "../sql-error.ts";

export interface Column {
  readonly name: string;
  /** "character varying" */
  readonly type: string;
  /** Bytes of a string, or precision of a decimal; 0 for types without. */
  readonly length: number;
  readonly scale: number;
  readonly notNull: boolean;
}

export interface TargetTable {
  readonly oid: string;
  /** For SQL. */
  readonly name: string;
  /** Those that the file has, in the file's order. */
  readonly columns: readonly Column[];
}

interface CatalogColumn extends Column {
  readonly identity: boolean;
  readonly hasDefault: boolean;
}

export async function targetTable(
  backend: Backend,
  { table, columns, explicitIds }: CopyStatement,
): Promise<TargetTable> {
  const name = table.map(quotedName).join(".");
  const rows = await backend.rows(catalogQuery(name));
  const all = rows.map(catalogColumn);
  const oid = rows[0]?.[0] ?? "0";
  if (columns === undefined) {
    // A complete list in the table's order; identity columns are in it when their values are given.
    return { oid, name, columns: all.filter(({ identity }) => explicitIds || !identity) };
  }
  const found = columns.map((column) => {
    const match = all.find((each) => each.name === column);
    if (match === undefined) {
      throw new SqlError(
        "42703",
        `column "${column}" of relation "${table.at(-1)}" does not exist`,
      );
    }
    return match;
  });
  if (new Set(columns).size < columns.length) {
    throw new SqlError("42701", "a column is named twice in the list of columns");
  }
  checkIdentity(found, all, explicitIds);
  const missing = all.find(
    (each) => each.notNull && !each.hasDefault && !each.identity && !found.includes(each),
  );
  if (missing !== undefined) {
    throw new SqlError(
      "XX000",
      `NOT NULL column without DEFAULT must be included in column list: ${missing.name}`,
    );
  }
  return { oid, name, columns: found };
}

function checkIdentity(
  found: readonly CatalogColumn[],
  all: readonly CatalogColumn[],
  explicitIds: boolean,
): void {
  const listed = found.some(({ identity }) => identity);
  if (listed && !explicitIds) {
    throw new SqlError(
      "XX000",
      "cannot load an IDENTITY column: add EXPLICIT_IDS, or leave it out",
    );
  }
  if (explicitIds && !listed && all.some(({ identity }) => identity)) {
    throw new SqlError("XX000", "EXPLICIT_IDS needs the IDENTITY column in the list of columns");
  }
}

function catalogQuery(name: string): string {
  return `
    SELECT attrelid::oid, attname, format_type(atttypid, NULL), atttypmod, attnotnull,
      attidentity <> '', atthasdef
    FROM pg_attribute
    WHERE attrelid = ${literal(name)}::regclass AND attnum > 0 AND NOT attisdropped
    ORDER BY attnum`;
}

function catalogColumn(row: readonly (string | null)[]): CatalogColumn {
  const [, name, type, modifier, notNull, identity, hasDefault] = row;
  const typmod = Number(modifier);
  return {
    name: name ?? "",
    type: type ?? "",
    length: lengthOf(type ?? "", typmod),
    scale: type === "numeric" && typmod >= 0 ? (typmod - 4) & 0xffff : 0,
    notNull: notNull === "t",
    identity: identity === "t",
    hasDefault: hasDefault === "t",
  };
}

/** Postgres counts the four bytes of a length in, and keeps precision and scale in one number. */
function lengthOf(type: string, typmod: number): number {
  if (typmod < 4) return 0;
  return type === "numeric" ? (typmod - 4) >> 16 : typmod - 4;
}
