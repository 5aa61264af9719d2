/**
 * COPY, by which Redshift reads S3. The options are the lossless ones: nothing here trims, cuts, skips
 * or replaces, and NULL has a text of its own. Pure text.
 */
import type { Load } from "../../core/stores.ts";
import { type Authorization, authorizationClause } from "./authorization.ts";
import { quoteColumns, quoteLiteral, quoteTable } from "./quote.ts";

/** How Redshift reaches the bucket. */
export interface S3Access {
  readonly authorization: Authorization;
  /** Of the bucket, when it is not that of the cluster. */
  readonly region?: string | undefined;
}

const COMPRESSION = { gzip: ["GZIP"], zstd: ["ZSTD"], none: [] } as const;

/** Analysis and encodings are left to Redshift's own schedule: during a load they cost a second pass. */
const NO_ANALYSIS = ["COMPUPDATE OFF", "STATUPDATE OFF"];

export function copyFrom(
  { table, columns, format, manifest }: Pick<Load, "table" | "columns" | "format" | "manifest">,
  { authorization, region }: S3Access,
): string {
  return [
    `COPY ${quoteTable(table)}${columns.length === 0 ? "" : ` (${quoteColumns(columns)})`}`,
    `FROM ${quoteLiteral(manifest)}`,
    authorizationClause(authorization),
    ...options(format, region),
    "MANIFEST",
  ].join(" ");
}

/** Those that take a value first: that order is read by every parser of this dialect that was tried. */
function options(format: Load["format"], region: string | undefined): readonly string[] {
  // Parquet is read by another part of Redshift, in its own region only, which takes no options.
  if (format.type === "parquet") return ["FORMAT AS PARQUET"];
  return [
    ...(format.type === "json"
      ? [`FORMAT AS JSON ${quoteLiteral(format.paths ?? "auto")}`]
      : ["FORMAT AS CSV", `NULL AS ${quoteLiteral(format.null)}`]),
    "DATEFORMAT 'auto'",
    "TIMEFORMAT 'auto'",
    ...(region === undefined ? [] : [`REGION ${quoteLiteral(region)}`]),
    ...NO_ANALYSIS,
    ...COMPRESSION[format.compression],
  ];
}
