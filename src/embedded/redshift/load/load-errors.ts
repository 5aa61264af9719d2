/** What was wrong with rows, kept where Redshift keeps it. It outlives the transaction that failed. */

import type { Client } from "pg";
import type { Row, RowError } from "./row.ts";
import type { Column } from "./target-table.ts";

export interface LoadError {
  readonly file: string;
  readonly row: Row;
  /** Undefined when the row as a whole is wrong. */
  readonly column: Column | undefined;
  readonly value: string;
  readonly error: RowError;
}

export interface FailedLoad {
  readonly queryId: string;
  readonly pid: number;
  readonly tableOid: string;
  readonly errors: readonly LoadError[];
}

/** Redshift keeps so much of a line and of a value. */
const KEPT_BYTES = 1024;

export async function recordLoadErrors(
  client: Client,
  { queryId, pid, tableOid, errors }: FailedLoad,
): Promise<void> {
  for (const { file, row, column, value, error } of errors) {
    await client.query(
      `INSERT INTO sluice_standin.load_error (query, session, tbl, filename, line_number, colname,
         type, col_length, raw_line, raw_field_value, err_code, err_reason)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
      [
        queryId,
        pid,
        tableOid,
        file,
        row.line,
        column?.name ?? "",
        column === undefined ? "" : (TYPE_NAMES[column.type] ?? column.type),
        lengthOf(column),
        shown(row.raw),
        shown(value),
        error.code,
        error.message,
      ],
    );
  }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  "character varying": "varchar",
  character: "char",
  integer: "int4",
  smallint: "int2",
  bigint: "int8",
  real: "float4",
  "double precision": "float8",
  boolean: "bool",
  "timestamp without time zone": "timestamp",
  "timestamp with time zone": "timestamptz",
  "time without time zone": "time",
  "time with time zone": "timetz",
};

function lengthOf(column: Column | undefined): string {
  if (column === undefined || column.length === 0) return "0";
  return column.type === "numeric" ? `${column.length}, ${column.scale}` : String(column.length);
}

/** Bytes that are no UTF-8, and NUL, can be kept by nobody. */
function shown(bytes: string): string {
  return Buffer.from(bytes.slice(0, KEPT_BYTES), "latin1")
    .toString("utf8")
    .replaceAll("\0", "\uFFFD");
}
