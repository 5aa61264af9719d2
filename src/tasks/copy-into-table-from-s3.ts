/**
 * Loads files that somebody else puts into the bucket. The step is `loadTable`, given an `S3Files`; this is
 * the family around it, for a prefix, of which a manifest is made first.
 */
import { defineTask } from "../core/define.ts";
import { p } from "../core/params/p.ts";
import type { ObjectStore } from "../core/stores.ts";
import type { S3Object } from "../targets/s3-object.ts";
import { tableMarker } from "../targets/table-marker.ts";
import { daySlice, type LoadOptions, loadTable } from "./load-table.ts";
import type { S3Files } from "./load-source.ts";
import { S3Manifest } from "./s3-manifest.ts";
import { prefixParam } from "./s3-params.ts";

const params = {
  table: p.table(),
  /** Where the files are, relative to the bucket: all of them that end with `suffix`. */
  prefix: prefixParam(),
  date: p.date(),
  suffix: p.text().optional(),
  /** `replace` all rows, those of `date` by the column `slice`, or those with the same `key`. */
  mode: p.choice(["replace", "append"]).default("replace"),
  slice: p.identifier().optional(),
  key: p.list(p.identifier()).optional(),
  /** The columns in the files' order. Default: all of the table's. */
  columns: p.list(p.identifier()).optional(),
  /** What stands for NULL, unquoted. */
  nullText: p.text().default("@NULL@"),
  compression: p.choice(["gzip", "zstd", "none"]).default("gzip"),
};

/**
 * Loads the CSV files below `prefix` into `table`, which must be there. Exactly the files that are there
 * when its manifest is made: `manifests/<prefix><date>.json`.
 */
export const CopyIntoTableFromS3 = defineTask(
  {
    name: "CopyIntoTableFromS3",
    params,
    requires: ({ prefix, suffix, date }) =>
      S3Manifest({ prefix, suffix, manifest: `manifests/${prefix}${date}.json` }),
    output: ({ table }) => tableMarker(table),
    queue: "load",
    sql: ({ params, input, output, s3, warehouse, signal }) =>
      warehouse.atomicallyStatements(
        output,
        loadTable(params.table, filesOf(params, s3, input, signal), modeOf(params)),
      ),
  },
  async ({ params, input, output, s3, warehouse, signal, progress }) => {
    const files = filesOf(params, s3, input, signal);
    const step = loadTable(params.table, files, { ...modeOf(params), progress });
    const { rows } = await warehouse.atomically(output, step);
    return { rows };
  },
);

function filesOf(
  {
    columns,
    nullText,
    compression,
  }: {
    readonly columns?: readonly string[] | undefined;
    readonly nullText: string;
    readonly compression: "gzip" | "zstd" | "none";
  },
  s3: ObjectStore,
  manifest: S3Object,
  signal: AbortSignal,
): S3Files {
  return { s3, manifest, columns, format: { type: "csv", null: nullText, compression }, signal };
}

function modeOf({
  mode,
  slice,
  key,
  date,
}: {
  readonly mode: "replace" | "append";
  readonly slice?: string | undefined;
  readonly key?: readonly string[] | undefined;
  readonly date: Parameters<typeof daySlice>[1];
}): LoadOptions {
  return {
    append: mode === "append",
    key,
    slice: slice === undefined ? undefined : daySlice(slice, date),
  };
}
