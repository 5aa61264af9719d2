/** Loads files of JSON, one object a line, whose keys are the table's columns. */
import { defineTask } from "../core/define.ts";
import { p } from "../core/params/p.ts";
import type { ObjectStore } from "../core/stores.ts";
import type { S3Object } from "../targets/s3-object.ts";
import { tableMarker } from "../targets/table-marker.ts";
import { loadTable } from "./load-table.ts";
import type { S3Files } from "./load-source.ts";
import { S3Manifest } from "./s3-manifest.ts";
import { prefixParam } from "./s3-params.ts";

/**
 * Loads the JSON files below `prefix` into `table`, which must be there. A key that an object lacks is NULL;
 * one that is no column is passed over. `jsonPaths` (`s3://…`) maps other shapes, on Redshift only.
 */
export const CopyJsonIntoTable = defineTask(
  {
    name: "CopyJsonIntoTable",
    params: {
      table: p.table(),
      prefix: prefixParam(),
      date: p.date(),
      suffix: p.text().optional(),
      append: p.bool().default(false),
      jsonPaths: p.s3().optional(),
      compression: p.choice(["gzip", "zstd", "none"]).default("gzip"),
    },
    requires: ({ prefix, suffix, date }) =>
      S3Manifest({ prefix, suffix, manifest: `manifests/${prefix}${date}.json` }),
    output: ({ table }) => tableMarker(table),
    queue: "load",
    sql: ({ params, input, output, s3, warehouse, signal }) =>
      warehouse.atomicallyStatements(
        output,
        loadTable(params.table, filesOf(params, s3, input, signal), { append: params.append }),
      ),
  },
  async ({ params, input, output, s3, warehouse, signal, progress }) => {
    const files = filesOf(params, s3, input, signal);
    const step = loadTable(params.table, files, { append: params.append, progress });
    const { rows } = await warehouse.atomically(output, step);
    return { rows };
  },
);

function filesOf(
  params: {
    readonly jsonPaths?: string | undefined;
    readonly compression: "gzip" | "zstd" | "none";
  },
  s3: ObjectStore,
  manifest: S3Object,
  signal: AbortSignal,
): S3Files {
  const { compression, jsonPaths: paths } = params;
  return { s3, manifest, format: { type: "json", paths, compression }, signal };
}
