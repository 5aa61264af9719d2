/**
 * What Postgres holds each type of Redshift as, for rows that Redshift unloads. Text comes out as Redshift
 * writes it; only VARBYTE's needs something in its place.
 */
import { UsageError } from "../../core/errors.ts";
import type { Column, Dialect } from "../../core/stores.ts";
import { quoteIdentifier } from "./quote.ts";

const REFUSED = /^(geometry|geography|hllsketch)/;

/** The columns of an unload for a reader. Throws a `UsageError` that names a column that cannot be written. */
export function forReader(columns: readonly Column[], reader: Dialect): readonly Column[] {
  return columns.map(({ name, pgType: redshiftType }) => {
    if (REFUSED.test(redshiftType)) {
      throw new UsageError(
        "TYPE_NOT_UNLOADED",
        `"${name}" is ${redshiftType}, which has no text that is the same everywhere: unload a query that converts it, for example ST_AsEWKB("${name}")`,
      );
    }
    const column = { name, pgType: postgresType(redshiftType), redshiftType };
    return column.pgType === "bytea" && reader === "postgres"
      ? { ...column, expression: `'\\\\x' || from_varbyte(${quoteIdentifier(name)}, 'hex')` }
      : column;
  });
}

/** Other types have one name in both. */
function postgresType(type: string): string {
  if (type === "super") return "jsonb";
  if (/^(varbyte|binary varying)/.test(type)) return "bytea";
  return type;
}
