/** What the catalog of a Postgres says about tables, queries and types. Reads only. */
import { PermanentError } from "../../core/errors.ts";
import { didYouMean } from "../../core/nearest.ts";
import type { Column, TableColumn } from "../../core/stores.ts";
import type { Heap } from "../../sql/postgres/dump-shares.ts";
import { quoteIdentifier, quoteTable } from "../../sql/postgres/quote.ts";
import { noRows } from "../../sql/select.ts";
import { parseTableName } from "../../sql/table-name.ts";
import type { Read } from "./database.ts";

/** Kinds of relations that LOCK TABLE takes: tables, partitioned tables, views. */
const LOCKABLE = new Set(["r", "p", "v"]);

/**
 * The name of a type that does not depend on the search path: `format_type` leaves the schema out when
 * the type is visible. `b` is the type itself, or for an array its element.
 */
const PG_TYPE = `CASE WHEN b.typnamespace <> 'pg_catalog'::regnamespace AND pg_type_is_visible(b.oid)
  THEN b.typnamespace::regnamespace::text || '.' ELSE '' END`;
const BASE_TYPE = `JOIN pg_type t ON t.oid = c.type
  JOIN pg_type b ON b.oid = CASE WHEN t.typcategory = 'A' AND t.typelem <> 0 THEN t.typelem ELSE t.oid END`;

const COLUMNS_OF_TABLE = `
  SELECT c.name, ${PG_TYPE} || format_type(c.type, c.typmod) AS "pgType", c.generated
  FROM (SELECT attname AS name, atttypid AS type, atttypmod AS typmod, attnum,
               attgenerated <> '' AS generated
        FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped) AS c
  ${BASE_TYPE} ORDER BY c.attnum`;

const COLUMNS_OF_QUERY = `
  SELECT ${PG_TYPE} || format_type(c.type, c.typmod) AS "pgType"
  FROM unnest($1::oid[], $2::int[]) WITH ORDINALITY AS c (type, typmod, number)
  ${BASE_TYPE} ORDER BY c.number`;

export interface FoundTable {
  readonly oid: number;
  readonly lockable: boolean;
}

/** Undefined when there is no such table, view or the like. */
export async function findTable(read: Read, name: string): Promise<FoundTable | undefined> {
  const { rows } = await read<{ oid: number; kind: string }>(
    `SELECT oid, relkind AS kind FROM pg_class
     WHERE oid = to_regclass($1) AND relkind IN ('r', 'p', 'v', 'm', 'f')`,
    [quoteTable(name)],
  );
  const [found] = rows;
  return found && { oid: found.oid, lockable: LOCKABLE.has(found.kind) };
}

/** The table and what inherits from it. */
const HEAPS = `
  WITH RECURSIVE tree AS (
    SELECT $1::oid AS oid UNION SELECT inhrelid FROM pg_inherits JOIN tree ON inhparent = tree.oid)
  SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind,
         pg_table_size(c.oid)::text AS bytes,
         ceil(pg_relation_size(c.oid)::numeric / current_setting('block_size')::int)::int AS pages
  FROM tree JOIN pg_class c ON c.oid = tree.oid JOIN pg_namespace n ON n.oid = c.relnamespace
  ORDER BY n.nspname, c.relname`;

/**
 * Where the rows of a table are: in the table itself, or in its partitions. None for a view or a
 * foreign table.
 */
export async function heapsOf(
  read: Read,
  { oid }: FoundTable,
): Promise<{ readonly heaps: readonly Heap[]; readonly bytes: number | undefined }> {
  interface Found {
    readonly oid: number;
    readonly schema: string;
    readonly name: string;
    readonly kind: string;
    readonly bytes: string;
    readonly pages: number;
  }
  const { rows } = await read<Found & Record<string, unknown>>(HEAPS, [oid]);
  const bytes = rows.reduce((sum, row) => sum + Number(row.bytes), 0);
  const root = rows.find((row) => row.oid === oid);
  // Ordinary tables that inherit from one are read with it, by the same ranges of pages.
  if (root?.kind === "r") return { heaps: [{ pages: root.pages }], bytes };
  const partitions = rows.filter(({ kind }) => root?.kind === "p" && kind !== "p");
  return {
    heaps: partitions.map(({ schema, name, kind, pages }) => ({
      from: `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`,
      pages: kind === "r" ? pages : undefined,
    })),
    bytes: bytes === 0 ? undefined : bytes,
  };
}

/** As a number: 140000 for Postgres 14. */
export async function serverVersion(read: Read): Promise<number> {
  const { rows } = await read<{ version: number }>(
    "SELECT current_setting('server_version_num')::int AS version",
  );
  return rows[0]?.version ?? 0;
}

export async function columnsOfTable(read: Read, oid: number): Promise<readonly TableColumn[]> {
  const { rows } = await read<{ name: string; pgType: string; generated: boolean }>(
    COLUMNS_OF_TABLE,
    [oid],
  );
  return rows;
}

/** Asks the server for the query's columns without running it. */
export async function columnsOfQuery(read: Read, query: string): Promise<readonly Column[]> {
  const { fields } = await read(noRows(query));
  const types = await read<{ pgType: string }>(COLUMNS_OF_QUERY, [
    fields.map(({ dataTypeID }) => dataTypeID),
    fields.map(({ dataTypeModifier }) => dataTypeModifier),
  ]);
  return fields.map(({ name }, index) => ({ name, pgType: types.rows[index]?.pgType ?? "text" }));
}

/** Those of the types that this database does not know. Text that is no type is refused by Postgres. */
export async function missingTypes(
  read: Read,
  pgTypes: readonly string[],
): Promise<readonly string[]> {
  const { rows } = await read<{ type: string }>(
    "SELECT type FROM unnest($1::text[]) AS wanted (type) WHERE to_regtype(type) IS NULL",
    [[...pgTypes]],
  );
  return rows.map(({ type }) => type);
}

/** The error for a table that is not there, with the nearest name that is. */
export async function unknownTable(
  read: Read,
  name: string,
  where: string,
): Promise<PermanentError> {
  const { rows } = await read<{ name: string; table: string }>(
    `SELECT CASE WHEN pg_table_is_visible(c.oid) THEN '' ELSE n.nspname || '.' END || c.relname AS name,
            c.relname AS "table"
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
       AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') LIMIT 10000`,
  );
  const { table } = parseTableName(name);
  const elsewhere = rows.find((row) => row.table === table && row.name !== name);
  const hint =
    elsewhere === undefined
      ? didYouMean(
          name,
          rows.map((row) => row.name),
        )
      : ` Did you mean "${elsewhere.name}"?`;
  return new PermanentError(
    "UNKNOWN_TABLE",
    `there is no table ${JSON.stringify(name)} in ${where}.${hint} Names are exact, capitals included.`,
    { fields: { table: name } },
  );
}
