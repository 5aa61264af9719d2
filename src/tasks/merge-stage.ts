/**
 * Adds files to a table by key: they are loaded beside it first, then replace the rows with the same key
 * and add the others. Only DELETE and INSERT, which both dialects have and no unique key is needed for.
 */
import { PermanentError } from "../core/errors.ts";
import type { Load, Transaction } from "../core/stores.ts";
import { merge } from "../sql/merge.ts";
import { statementsFor } from "../sql/statements.ts";

export async function mergeStage(
  transaction: Transaction,
  load: Omit<Load, "table">,
  table: string,
  key: readonly string[],
): Promise<number> {
  const sql = merge(table, load.columns, key, statementsFor(transaction.dialect));
  await transaction.execute(statementsFor(transaction.dialect).lockTable(table));
  await transaction.execute(sql.createStage);
  const rows = await transaction.load({ ...load, table: sql.stage });
  await transaction.expectCount(sql.countBadKeys, 0, (found) => badKeys(table, key, found));
  await transaction.execute(sql.deleteMatches);
  await transaction.execute(sql.insertStage);
  await transaction.execute(sql.dropStage);
  return rows;
}

function badKeys(table: string, key: readonly string[], found: number): PermanentError {
  return new PermanentError(
    "KEY_NOT_UNIQUE",
    `${table}: ${found} values of ${key.map((name) => `"${name}"`).join(", ")} come more than once in the files, or are NULL, so they do not say which row to replace. Nothing was committed: correct the files, or choose another key.`,
    { fields: { table } },
  );
}
