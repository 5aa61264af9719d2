/** What the catalog of a Postgres says about tables, queries and types. Reads only. */
import { PermanentError } from "../../core/errors.ts";
import { didYouMean } from "../../core/nearest.ts";
import type { Column, TableColumn } from "../../core/stores.ts";
import { quoteTable } from "../../sql/postgres/quote.ts";
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
            c.relname AS table
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
