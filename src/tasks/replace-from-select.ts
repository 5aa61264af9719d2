/**
 * Builds a warehouse table from a SELECT, atomically: readers see the old rows until the new ones are
 * all there, and grants and dependent views stay. `replaceFromSelect` is a step for `atomically`;
 * `CreateTableFromSelectQuery` is the family around it.
 */
import { createHash } from "node:crypto";
import { defineTask } from "../core/define.ts";
import { PermanentError } from "../core/errors.ts";
import { p } from "../core/params/p.ts";
import type { Column, Step } from "../core/stores.ts";
import type { Slice } from "../sql/slice.ts";
import { dropTable, renameTable } from "../sql/change-table.ts";
import { type Statements, statementsFor } from "../sql/statements.ts";
import { parseTableName } from "../sql/table-name.ts";
import { tableMarker } from "../targets/table-marker.ts";

export interface ReplaceOptions {
  /** Replace only these rows. All rows of the SELECT must be in it. */
  readonly slice?: Slice | undefined;
}

/**
 * A step that replaces the rows of `table`, or of one slice of it, by those of `select`. A table that is
 * missing is created with the columns of the select; one that is there must have columns of the same
 * names, in any order.
 *
 * ```ts
 * ({ warehouse, output }) =>
 *   warehouse.atomically(output, replaceFromSelect("mart.daily_revenue", sql)),
 * ```
 */
export function replaceFromSelect(
  table: string,
  select: string,
  { slice }: ReplaceOptions = {},
): Step {
  return async (transaction) => {
    const sql = statementsFor(transaction.dialect);
    const columns = await transaction.columnsOf(select);
    const existing = await transaction.describe(table);
    if (existing === undefined) {
      for (const statement of sql.createTable(table, columns)) await transaction.execute(statement);
    } else {
      requireSameNames(table, existing, columns, sql);
      await transaction.execute(sql.lockTable(table));
      await transaction.execute(sql.deleteRows(table, slice));
    }
    const rows = await transaction.execute(sql.insertSelect(table, columns, select));
    if (slice !== undefined) {
      await transaction.expectCount(sql.countRows(table, slice), rows, (found) =>
        outsideSlice(table, slice, rows, found),
      );
    }
    return rows;
  };
}

/**
 * A step that builds `table` anew beside the old one and puts it in its place. Faster than replacing rows
 * that are many, and the new column types are those of the SELECT; but grants go with the old table, and
 * one that views depend on is not dropped: that is an error.
 */
export function swapFromSelect(table: string, select: string): Step {
  return async (transaction) => {
    const sql = statementsFor(transaction.dialect);
    const columns = await transaction.columnsOf(select);
    const { schema, table: name } = parseTableName(table);
    const hash = createHash("sha256").update(table).digest("hex").slice(0, 16);
    const fresh = `${schema === undefined ? "" : `${schema}.`}sluice_new_${hash}`;
    for (const statement of sql.createTable(fresh, columns)) await transaction.execute(statement);
    const rows = await transaction.execute(sql.insertSelect(fresh, columns, select));
    await transaction.execute(dropTable(table, {}, sql));
    await transaction.execute(renameTable(fresh, name, sql));
    return rows;
  };
}

/**
 * A step for `serially`: the table is dropped, created and filled, each for itself. Nothing is locked for
 * long; but readers see no table, then an empty one, and an attempt that dies leaves it so until the next.
 */
export function rebuildFromSelect(table: string, select: string): Step {
  return async (transaction) => {
    const sql = statementsFor(transaction.dialect);
    const columns = await transaction.columnsOf(select);
    await transaction.execute(dropTable(table, {}, sql));
    for (const statement of sql.createTable(table, columns)) await transaction.execute(statement);
    return await transaction.execute(sql.insertSelect(table, columns, select));
  };
}

function outsideSlice(table: string, slice: Slice, rows: number, found: number): PermanentError {
  return new PermanentError(
    "ROWS_OUTSIDE_SLICE",
    `${table}: the SELECT gave ${rows} rows, but ${found} have "${slice.column}" from ${slice.from} to before ${slice.before}. The others would be doubled the next time. Nothing was committed: let the SELECT give only the slice's rows.`,
    { fields: { table } },
  );
}

function requireSameNames(
  table: string,
  existing: readonly Column[],
  selected: readonly Column[],
  { sameName }: Statements,
): void {
  const missingIn = (columns: readonly Column[], others: readonly Column[]) =>
    others.map(({ name }) => name).filter((name) => !columns.some((c) => sameName(c.name, name)));
  const onlyInTable = missingIn(selected, existing);
  const onlyInSelect = missingIn(existing, selected);
  if (onlyInTable.length + onlyInSelect.length === 0) return;
  const list = (names: readonly string[]) => names.map((name) => `"${name}"`).join(", ") || "none";
  throw new PermanentError(
    "COLUMNS_DIFFER",
    `${table} and the SELECT that fills it have different columns. Only in the table: ${list(onlyInTable)}; only in the SELECT: ${list(onlyInSelect)}. Alter the table, or drop it and let the task create it.`,
    { fields: { table } },
  );
}

/**
 * Fills `table` with the rows of `query`, and creates it if it is not there. `replace` keeps the table and
 * replaces its rows in one transaction; `swap` and `serial` are the steps above. `date` sets one day's task
 * apart from another's.
 */
export const CreateTableFromSelectQuery = defineTask(
  {
    name: "CreateTableFromSelectQuery",
    params: {
      table: p.table(),
      query: p.text(),
      date: p.date(),
      how: p.choice(["replace", "swap", "serial"]).optional(),
    },
    output: ({ table }) => tableMarker(table),
    queue: "sql",
    sql: ({ params, output, warehouse }) =>
      params.how === "serial"
        ? warehouse.seriallyStatements(output, stepOf(params))
        : warehouse.atomicallyStatements(output, stepOf(params)),
  },
  async ({ params, output, warehouse }) => {
    const { rows } =
      params.how === "serial"
        ? await warehouse.serially(output, stepOf(params))
        : await warehouse.atomically(output, stepOf(params));
    return { rows };
  },
);

function stepOf({
  table,
  query,
  how = "replace",
}: {
  readonly table: string;
  readonly query: string;
  readonly how?: "replace" | "swap" | "serial" | undefined;
}): Step {
  const steps = { replace: replaceFromSelect, swap: swapFromSelect, serial: rebuildFromSelect };
  return steps[how](table, query);
}
