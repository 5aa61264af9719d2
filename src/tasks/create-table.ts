/**
 * Creates a table from a declaration of its columns and keys. `createTable` is a step; `CreateTable` is
 * the family around it. A table that is there stays as it is, and must have the declared columns:
 * nothing is altered.
 */
import { PermanentError } from "../core/errors.ts";
import { p } from "../core/params/p.ts";
import type { Column, Step, Transaction } from "../core/stores.ts";
import { createTable as createStatement } from "../sql/create-table.ts";
import { statementsFor } from "../sql/statements.ts";
import { checkDefinition, type TableDefinition } from "../sql/table-definition.ts";
import { columnDefinition, redshiftAttributes } from "./definition-params.ts";
import { sqlFamily } from "./sql-family.ts";

/**
 * A step that creates a table, and its schema when there is none. With `ifNotExists: false` a table that
 * is there is an error.
 *
 * ```ts
 * createTable({
 *   table: "mart.visits",
 *   columns: [{ name: "day", type: "date", notNull: true }, { name: "visits", type: "bigint" }],
 *   primaryKey: ["day"],
 *   redshift: { distStyle: "all", sortKey: ["day"] },
 * });
 * ```
 */
export function createTable(
  definition: TableDefinition,
  { ifNotExists = true }: { readonly ifNotExists?: boolean } = {},
): Step {
  checkDefinition(definition);
  const { table } = definition;
  return async (transaction) => {
    const sql = statementsFor(transaction.dialect);
    const existing = await transaction.describe(table);
    if (existing === undefined) {
      for (const statement of sql.createSchema(table)) await transaction.execute(statement);
    } else if (!transaction.printed) {
      if (!ifNotExists) throw tableExists(table);
      requireSameNames(definition, existing, transaction.dialect);
    }
    await transaction.execute(
      createStatement(definition, { ifNotExists }, transaction.dialect, sql),
    );
    return 0;
  };
}

function tableExists(table: string): PermanentError {
  return new PermanentError(
    "TABLE_EXISTS",
    `${table} cannot be created: it is there already. Drop it first (deleteTable), or create it with ifNotExists.`,
    { fields: { table } },
  );
}

/** `IF NOT EXISTS` alone would pass over a table that is quite another one. */
function requireSameNames(
  { table, columns }: TableDefinition,
  existing: readonly Column[],
  dialect: Transaction["dialect"],
): void {
  const listed = (names: readonly Column[] | TableDefinition["columns"]) =>
    names
      .map(({ name }) => JSON.stringify(dialect === "redshift" ? name.toLowerCase() : name))
      .join(", ");
  if (listed(existing) === listed(columns)) return;
  throw new PermanentError(
    "COLUMNS_DIFFER",
    `${table} is there already, with other columns than were declared: it has ${listed(existing)}, declared are ${listed(columns)}. Alter it, or drop it first (deleteTable).`,
    { fields: { table } },
  );
}

/**
 * Creates `table` if it is not there, in one transaction with its marker. `columns` is a list like
 * `[{"name": "id", "type": "bigint", "notNull": true}]`; `redshift` is left out on Postgres. `date` sets
 * days apart.
 */
export const CreateTable = sqlFamily({
  name: "CreateTable",
  params: {
    table: p.table(),
    columns: p.list(columnDefinition),
    date: p.date(),
    primaryKey: p.list(p.identifier()).optional(),
    redshift: redshiftAttributes.optional(),
    ifNotExists: p.bool().default(true),
  },
  table: (params) => {
    checkDefinition(params);
    return params.table;
  },
  steps: ({ params: { ifNotExists, ...definition } }) => [createTable(definition, { ifNotExists })],
});
