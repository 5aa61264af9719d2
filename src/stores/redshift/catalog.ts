/** What the catalog of a Redshift says about tables and queries. Reads only, by the simple protocol. */
import type { QueryResult } from "pg";
import type { Column, TableColumn } from "../../core/stores.ts";
import * as sql from "../../sql/redshift/catalog.ts";
import { noRows } from "../../sql/select.ts";

/** Runs one statement. */
export type Run = (statement: string) => Promise<QueryResult>;

/** Undefined when there is no such table or view. */
export async function columnsOfTable(
  run: Run,
  name: string,
): Promise<readonly TableColumn[] | undefined> {
  const { rows } = await run(sql.columnsOfTable(name));
  if (rows.length === 0) return undefined;
  return rows.map((row: Record<string, unknown>) => ({
    name: String(row["name"]),
    pgType: String(row["type"]),
    generated: false,
  }));
}

/** Asks the server for the query's columns without running it. */
export async function columnsOfQuery(run: Run, query: string): Promise<readonly Column[]> {
  const { fields } = await run(noRows(query));
  const types = fields.map(({ dataTypeID: oid, dataTypeModifier: modifier }) => ({
    oid,
    modifier,
  }));
  const { rows } = await run(sql.namesOfTypes(types));
  const names: Record<string, unknown> = rows[0] ?? {};
  return fields.map(({ name }, index) => ({ name, pgType: String(names[`t${index}`]) }));
}
