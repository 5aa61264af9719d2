/**
 * Builds a warehouse table from a SELECT, atomically: readers see the old rows until the new ones are
 * all there, and grants and dependent views stay. `replaceFromSelect` is a step for `atomically`;
 * `CreateTableFromSelectQuery` is the family around it.
 */
import { defineTask } from "../core/define.ts";
import { PermanentError } from "../core/errors.ts";
import { p } from "../core/params/p.ts";
import type { Column, Step } from "../core/stores.ts";
import type { Slice } from "../sql/slice.ts";
import { statementsFor } from "../sql/statements.ts";
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
      requireSameNames(table, existing, columns);
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
): void {
  const [inTable, inSelect] = [existing, selected].map((columns) =>
    columns.map(({ name }) => name),
  );
  const onlyInTable = inTable?.filter((name) => inSelect?.includes(name) === false) ?? [];
  const onlyInSelect = inSelect?.filter((name) => inTable?.includes(name) === false) ?? [];
  if (onlyInTable.length + onlyInSelect.length === 0) return;
  const list = (names: readonly string[]) => names.map((name) => `"${name}"`).join(", ") || "none";
  throw new PermanentError(
    "COLUMNS_DIFFER",
    `${table} and the SELECT that fills it have different columns. Only in the table: ${list(onlyInTable)}; only in the SELECT: ${list(onlyInSelect)}. Alter the table, or drop it and let the task create it.`,
    { fields: { table } },
  );
}

/** Replaces `table` by the rows of `query`. `date` sets one day's task apart from another's. */
export const CreateTableFromSelectQuery = defineTask(
  {
    name: "CreateTableFromSelectQuery",
    params: { table: p.table(), query: p.text(), date: p.date() },
    output: ({ table }) => tableMarker(table),
    queue: "sql",
    sql: ({ params, output, warehouse }) =>
      warehouse.atomicallyStatements(output, replaceFromSelect(params.table, params.query)),
  },
  async ({ params, output, warehouse }) => {
    const step = replaceFromSelect(params.table, params.query);
    const { rows } = await warehouse.atomically(output, step);
    return { rows };
  },
);
