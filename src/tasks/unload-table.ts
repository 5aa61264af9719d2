/** Families that bring a table, or the rows of a query, from the warehouse to S3. */
import { createHash } from "node:crypto";
import { defineTask } from "../core/define.ts";
import { p } from "../core/params/p.ts";
import { s3Dataset } from "../targets/s3-dataset.ts";
import { unloadStatements, unloadToS3 } from "./unload-to-s3.ts";

const options = {
  format: p.choice(["csv", "parquet"]).default("csv"),
  dialect: p.choice(["postgres", "redshift"]).optional(),
  fileMegabytes: p.int({ min: 5, max: 6200 }).optional(),
};

/** Unloads a table of the warehouse to `unloads/<table>/<date>/`. `dialect` is who will read it. */
export const UnloadTable = defineTask(
  {
    name: "UnloadTable",
    params: { table: p.table(), date: p.date(), ...options },
    output: ({ table, date, ...rest }) => s3Dataset(placeOf(table, undefined, date, rest)),
    queue: "unload",
    sql: ({ params, warehouse, output, task, signal }) =>
      unloadStatements(warehouse, params.table, output, task.id, { ...params, signal }),
  },
  ({ params, warehouse, output, signal, progress }) =>
    unloadToS3(warehouse, params.table, output, { ...params, signal, progress }),
);

/**
 * Unloads the rows of a query to `unloads/<name>/<hash of the query>/<date>/`. `name` is what the place
 * is called by, for people.
 */
export const UnloadQuery = defineTask(
  {
    name: "UnloadQuery",
    params: { name: p.text(), query: p.text(), date: p.date(), ...options },
    output: ({ name, query, date, ...rest }) => s3Dataset(placeOf(name, query, date, rest)),
    queue: "unload",
    sql: ({ params, warehouse, output, task, signal }) =>
      unloadStatements(warehouse, { query: params.query }, output, task.id, { ...params, signal }),
  },
  ({ params, warehouse, output, signal, progress }) =>
    unloadToS3(warehouse, { query: params.query }, output, { ...params, signal, progress }),
);

/** What is written differently is written elsewhere. */
function placeOf(
  name: string,
  query: string | undefined,
  date: { toString(): string },
  { format, dialect }: { readonly format: string; readonly dialect?: string | undefined },
): string {
  const place = encodeURIComponent(name).replaceAll("'", "%27");
  const form = [format, ...(dialect === undefined ? [] : [dialect])].join("-");
  const hash =
    query === undefined ? "" : `${createHash("sha256").update(query).digest("hex").slice(0, 16)}/`;
  return `unloads/${place}/${hash}${form}/${date.toString()}/`;
}
