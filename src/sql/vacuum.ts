/** `VACUUM` in both dialects, which share little but the word. Pure text. */
import { UsageError } from "../core/errors.ts";
import type { Dialect } from "../core/stores.ts";
import { analyzeTable } from "./change-table.ts";
import type { Quoting } from "./quoting.ts";

export const VACUUM_MODES = ["full", "sort only", "delete only", "reindex", "recluster"] as const;

export interface VacuumOptions {
  /**
   * Default: what the server does by itself. `full` on Postgres rewrites the table and keeps readers
   * out; on Redshift it sorts and reclaims. Postgres knows no other.
   */
  readonly mode?: (typeof VACUUM_MODES)[number] | undefined;
  /** Also gathers statistics. */
  readonly analyze?: boolean | undefined;
}

/** Each statement must be alone: neither server runs VACUUM inside of a transaction. */
export function vacuum(
  table: string,
  { mode, analyze = false }: VacuumOptions,
  dialect: Dialect,
  quoting: Quoting,
): string[] {
  const name = quoting.quoteTable(table);
  if (dialect === "redshift") {
    const statement = `VACUUM ${mode === undefined ? "" : `${mode.toUpperCase()} `}${name}`;
    return analyze ? [statement, analyzeTable(table, [], quoting)] : [statement];
  }
  if (mode !== undefined && mode !== "full") {
    throw new UsageError(
      "VACUUM_MODE_UNKNOWN",
      `Vacuum of ${table}: only Redshift knows the mode "${mode}". On Postgres it is "full", or left out.`,
    );
  }
  const options = [...(mode === "full" ? ["FULL"] : []), ...(analyze ? ["ANALYZE"] : [])];
  return [`VACUUM ${options.length === 0 ? "" : `(${options.join(", ")}) `}${name}`];
}
