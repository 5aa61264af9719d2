/**
 * Loads files from S3 into a warehouse table: all of it in one transaction with the marker, row by row
 * what the manifest promises, or nothing at all. `loadTable` is a step for `atomically`; `LoadTable` is
 * the family around it.
 */
import type { Temporal } from "temporal-polyfill";
import { defineTask } from "../core/define.ts";
import { PermanentError } from "../core/errors.ts";
import { p } from "../core/params/p.ts";
import type { Progress } from "../core/run.ts";
import type { Column, Step, Transaction } from "../core/stores.ts";
import type { Slice } from "../sql/slice.ts";
import { statementsFor } from "../sql/statements.ts";
import type { S3Dataset } from "../targets/s3-dataset.ts";
import { tableMarker } from "../targets/table-marker.ts";
import { TableCopyToS3 } from "./copy-table-to-s3.ts";
import { redshiftColumns } from "./definition-params.ts";
import { fitColumns, readableColumns } from "./fit-columns.ts";
import { type LoadSource, openLoadSource, type S3Files } from "./load-source.ts";
import { mergeStage } from "./merge-stage.ts";

export interface LoadOptions {
  /** Replace only these rows. All rows of the files must be in it. */
  readonly slice?: Slice | undefined;
  /** Add to what is there. A load that is run again under another task id adds again. */
  readonly append?: boolean | undefined;
  /** Replace the rows with the same values in these columns, and add the others. */
  readonly key?: readonly string[] | undefined;
  /**
   * Let the table's own types read the text of the dataset's, as from a VARCHAR of Redshift into
   * `tsvector`. A value that they cannot read is an error, but one that they round is rounded.
   */
  readonly convert?: boolean | undefined;
  /**
   * Sessions that send the files to Postgres. The others than the first need the right to create tables
   * in the schema: they fill unlogged ones, which the transaction takes over. Default 1.
   */
  readonly connections?: number | undefined;
  readonly progress?: ((report: Progress) => void) | undefined;
}

/**
 * A step that replaces the rows of a table, or of one slice of it, by those of a dataset or of other files
 * in S3. A table that is missing is created with the dataset's column types; one that is there must have
 * the same columns.
 *
 * ```ts
 * ({ warehouse, input, output }) => warehouse.atomically(output, loadTable("shop.orders", input)),
 * ```
 */
export function loadTable(
  table: string,
  from: S3Dataset | S3Files,
  options: LoadOptions = {},
): Step {
  const { slice, key, append = false, convert = false, connections, progress } = options;
  requireOneMode(table, options);
  return async (transaction) => {
    const sql = statementsFor(transaction.dialect);
    const source = await openLoadSource(from);
    const existing = await transaction.describe(table);
    const columns =
      existing === undefined
        ? await createTable(transaction, table, source)
        : fitColumns(transaction, table, existing, source, convert);
    for (const name of [...(slice === undefined ? [] : [slice.column]), ...(key ?? [])]) {
      requireColumn(transaction, columns, name, table);
    }
    const { format, manifest, files, rows } = source;
    const load = { columns, format, manifest, files, rows, connections, progress };
    if (key !== undefined) return await mergeStage(transaction, load, table, key);

    if (existing !== undefined && !append) {
      await transaction.execute(sql.lockTable(table));
      await transaction.execute(sql.deleteRows(table, slice));
    }
    const loaded = await transaction.load({ ...load, table });
    if (slice !== undefined) {
      await transaction.expectCount(sql.countRows(table, slice), rows ?? loaded, (found) =>
        outsideSlice(table, slice, rows ?? loaded, found),
      );
    }
    return loaded;
  };
}

/** Types that the warehouse lacks (an enum, an extension's) become text: it holds all of them. */
async function createTable(
  transaction: Transaction,
  table: string,
  { columns, dialect }: LoadSource,
): Promise<readonly Column[]> {
  if (columns === undefined) {
    throw new PermanentError(
      "TABLE_MISSING",
      `there is no table ${table}, and the files do not say which types their columns have: create it first (CreateTable).`,
      { fields: { table } },
    );
  }
  const wanted = readableColumns(columns, dialect, transaction.dialect, table);
  const missing = await transaction.missingTypes(wanted.map(({ pgType }) => pgType));
  const known = wanted.map((column) =>
    missing.includes(column.pgType) ? { ...column, pgType: "text" } : column,
  );
  const sql = statementsFor(transaction.dialect);
  for (const statement of sql.createTable(table, known)) await transaction.execute(statement);
  return wanted;
}

function requireOneMode(table: string, { slice, key, append }: LoadOptions): void {
  const modes = [slice, key, append === true ? append : undefined];
  if (modes.filter((mode) => mode !== undefined).length <= 1 && key?.length !== 0) return;
  throw new PermanentError(
    "LOAD_MODE_INVALID",
    `${table}: a load replaces the table, or a slice, or the rows with the same key (of at least one column), or it appends: give one of slice, key and append`,
  );
}

function requireColumn(
  { dialect }: Transaction,
  columns: readonly Column[],
  name: string,
  table: string,
): void {
  const { sameName } = statementsFor(dialect);
  if (columns.some((column) => sameName(column.name, name))) return;
  throw new PermanentError(
    "UNKNOWN_COLUMN",
    `${table}: rows are told apart by "${name}", but the files have ${columns.map((column) => `"${column.name}"`).join(", ")}`,
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
 * `dialect` and `columns` are those of the dump, `TableCopyToS3`.
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
      dialect: p.choice(["postgres", "redshift"]).optional(),
      columns: redshiftColumns.optional(),
      connections: p
        .int({ min: 1, max: 64, significant: false, description: "Sessions that send the files" })
        .default(1),
    },
    requires: ({ table, date, query, dialect, columns }) =>
      TableCopyToS3({ table, date, query, dialect, columns }),
    output: ({ table, into = table }) => tableMarker(into),
    queue: "load",
    sql: ({ params, input, output, warehouse }) =>
      warehouse.atomicallyStatements(output, loadTable(output.table, input, optionsOf(params))),
  },
  async ({ params, input, output, warehouse, progress }) => {
    const { dump } = await input.manifest();
    const step = loadTable(output.table, input, { ...optionsOf(params), progress });
    await warehouse.atomically(output, step);
    return { rows: dump.rows, bytes: dump.bytes };
  },
);

function optionsOf(params: {
  readonly slice?: string | undefined;
  readonly date: Temporal.PlainDate;
  readonly connections: number;
}): LoadOptions {
  const { slice, date, connections } = params;
  return { connections, ...(slice === undefined ? {} : { slice: daySlice(slice, date) }) };
}
