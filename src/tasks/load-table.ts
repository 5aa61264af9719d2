/**
 * Loads a dataset into a warehouse table: delete and load in one transaction with the marker, row by row
 * what the manifest promises, or nothing at all. `loadTable` is a step for `atomically`; `LoadTable` is
 * the family around it.
 */
import type { Temporal } from "temporal-polyfill";
import { defineTask } from "../core/define.ts";
import { PermanentError } from "../core/errors.ts";
import { p } from "../core/params/p.ts";
import type { Progress } from "../core/run.ts";
import type { Column, Step, TableColumn, Transaction } from "../core/stores.ts";
import type { Slice } from "../sql/slice.ts";
import { type Statements, statementsFor } from "../sql/statements.ts";
import type { S3Dataset } from "../targets/s3-dataset.ts";
import { tableMarker } from "../targets/table-marker.ts";
import { TableCopyToS3 } from "./copy-table-to-s3.ts";

export interface LoadOptions {
  /** Replace only these rows. All rows of the dataset must be in it. */
  readonly slice?: Slice | undefined;
  readonly progress?: ((report: Progress) => void) | undefined;
}

/**
 * A step that replaces the rows of a table, or of one slice of it, by a dataset. A table that is missing
 * is created with the dataset's column types; one that is there must have the same columns.
 *
 * ```ts
 * ({ warehouse, input, output }) => warehouse.atomically(output, loadTable("shop.orders", input)),
 * ```
 */
export function loadTable(table: string, dataset: S3Dataset, options: LoadOptions = {}): Step {
  const { slice, progress } = options;
  return async (transaction) => {
    const sql = statementsFor(transaction.dialect);
    const { entries, dump } = await dataset.manifest();
    const { columns, rows, format } = dump;
    if (slice !== undefined) requireColumn(columns, slice.column, table);

    const existing = await transaction.describe(table);
    if (existing === undefined) {
      await createTable(transaction, sql, table, columns);
    } else {
      requireSameColumns(sql, table, existing, columns);
      await transaction.execute(sql.lockTable(table));
      await transaction.execute(sql.deleteRows(table, slice));
    }

    const loaded = await transaction.load({
      table,
      columns,
      format,
      rows,
      progress,
      manifest: dataset.manifestUrl,
      files: entries.map((entry) => ({
        open: () => dataset.read(entry),
        from: entry.url,
        rows: entry.meta.rows,
      })),
    });
    if (slice !== undefined) {
      await transaction.expectCount(sql.countRows(table, slice), rows, (found) =>
        outsideSlice(table, slice, rows, found),
      );
    }
    return loaded;
  };
}

/** Types that the warehouse lacks (an enum, an extension's) become text: it holds all of them. */
async function createTable(
  transaction: Transaction,
  sql: Statements,
  table: string,
  columns: readonly Column[],
): Promise<void> {
  const missing = await transaction.missingTypes(columns.map(({ pgType }) => pgType));
  const known = columns.map(({ name, pgType }) => ({
    name,
    pgType: missing.includes(pgType) ? "text" : pgType,
  }));
  for (const statement of sql.createTable(table, known)) await transaction.execute(statement);
}

function requireSameColumns(
  sql: Statements,
  table: string,
  existing: readonly TableColumn[],
  wanted: readonly Column[],
): void {
  const refuse = (problem: string): never => {
    throw new PermanentError(
      "COLUMNS_DIFFER",
      `${table} in the warehouse does not fit the dataset: ${problem}. Alter the table, or drop it and let the load create it.`,
      { fields: { table } },
    );
  };
  for (let index = 0; index < Math.max(existing.length, wanted.length); index++) {
    const here = existing[index];
    const there = wanted[index];
    const place = `column ${index + 1}`;
    if (here === undefined) return refuse(`${place}, "${there?.name}", is missing in the table`);
    if (there === undefined) return refuse(`${place}, "${here.name}", is missing in the dataset`);
    if (here.name !== there.name) {
      return refuse(`${place} is "${here.name}" in the table and "${there.name}" in the dataset`);
    }
    if (here.generated) {
      return refuse(`"${here.name}" is generated in the table, so it cannot be loaded`);
    }
    if (!sql.holds(here.pgType, there.pgType)) {
      return refuse(
        `"${here.name}" is ${here.pgType} in the table, which cannot hold every ${there.pgType} of the dataset`,
      );
    }
  }
}

function requireColumn(columns: readonly Column[], name: string, table: string): void {
  if (columns.some((column) => column.name === name)) return;
  throw new PermanentError(
    "UNKNOWN_COLUMN",
    `${table}: the slice is cut by "${name}", but the dataset has ${columns.map((column) => `"${column.name}"`).join(", ")}`,
  );
}

function outsideSlice(table: string, slice: Slice, rows: number, found: number): PermanentError {
  return new PermanentError(
    "ROWS_OUTSIDE_SLICE",
    `${table}: the dataset has ${rows} rows, but ${found} have "${slice.column}" from ${slice.from} to before ${slice.before}. Loading the others would double them the next time. Nothing was committed: select only the slice's rows in the dump's query.`,
    { fields: { table } },
  );
}

/** One day of a date or timestamp column. */
export function daySlice(column: string, date: Temporal.PlainDate): Slice {
  return { column, from: date.toString(), before: date.add({ days: 1 }).toString() };
}

/**
 * Loads the dump of a table into the table of the same name, or `into` another. It replaces all rows,
 * or with `slice` (a date or timestamp column) those of the day; then `query` must select just those.
 */
export const LoadTable = defineTask(
  {
    name: "LoadTable",
    params: {
      table: p.table(),
      date: p.date(),
      into: p.table().optional(),
      slice: p.identifier().optional(),
      query: p.text().optional(),
    },
    requires: ({ table, date, query }) => TableCopyToS3({ table, date, query }),
    output: ({ table, into = table }) => tableMarker(into),
    queue: "load",
    sql: ({ params, input, output, warehouse }) =>
      warehouse.atomicallyStatements(output, loadTable(output.table, input, sliceOf(params))),
  },
  async ({ params, input, output, warehouse, progress }) => {
    const { dump } = await input.manifest();
    const step = loadTable(output.table, input, { ...sliceOf(params), progress });
    await warehouse.atomically(output, step);
    return { rows: dump.rows, bytes: dump.bytes };
  },
);

function sliceOf(params: {
  readonly slice?: string | undefined;
  readonly date: Temporal.PlainDate;
}): LoadOptions {
  return params.slice === undefined ? {} : { slice: daySlice(params.slice, params.date) };
}
