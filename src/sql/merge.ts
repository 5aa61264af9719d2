/** The statements that merge a staging table into another by key; the same in every dialect but for quoting. */
import type { Column } from "../core/stores.ts";
import type { Quoting } from "./quoting.ts";

/** Of the session only, so every transaction may have its own. */
const STAGE = "sluice_stage";

export function merge(
  table: string,
  columns: readonly Column[],
  key: readonly string[],
  { quoteColumns, quoteIdentifier, quoteTable }: Quoting,
) {
  const target = quoteTable(table);
  const stage = quoteIdentifier(STAGE);
  const keys = key.map(quoteIdentifier);
  const names = quoteColumns(columns);
  const same = keys.map((name) => `${target}.${name} = ${stage}.${name}`).join(" AND ");
  const missing = keys.map((name) => `${name} IS NULL`).join(" OR ");
  return {
    stage: STAGE,
    createStage: `CREATE TEMPORARY TABLE ${stage} (LIKE ${target} INCLUDING DEFAULTS)`,
    countBadKeys: `SELECT count(*) FROM (SELECT ${keys.join(", ")} FROM ${stage} GROUP BY ${keys.join(", ")} HAVING count(*) > 1 OR ${missing}) AS bad`,
    deleteMatches: `DELETE FROM ${target} USING ${stage} WHERE ${same}`,
    insertStage: `INSERT INTO ${target} (${names}) SELECT ${names} FROM ${stage}`,
    dropStage: `DROP TABLE ${stage}`,
  };
}
