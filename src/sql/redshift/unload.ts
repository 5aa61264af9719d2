/** UNLOAD, by which Redshift writes S3. Pure text. */
import type { UnloadRequest } from "../../core/stores.ts";
import { withoutSemicolon } from "../select.ts";
import { authorizationClause } from "./authorization.ts";
import type { S3Access } from "./copy.ts";
import { quoteLiteral } from "./quote.ts";

/**
 * `MANIFEST VERBOSE` says how many rows and bytes each file has. There is no ALLOWOVERWRITE: the
 * place is an attempt's own, so whatever is there already is a mistake.
 */
export function unload(
  {
    query,
    to,
    format,
    fileMegabytes,
  }: Pick<UnloadRequest, "query" | "to" | "format" | "fileMegabytes">,
  { authorization, region }: S3Access,
): string {
  return [
    `UNLOAD (${quoteLiteral(withoutSemicolon(query))})`,
    `TO ${quoteLiteral(to)}`,
    authorizationClause(authorization),
    ...(format.type === "parquet"
      ? ["FORMAT PARQUET"]
      : ["FORMAT CSV", `NULL AS ${quoteLiteral(format.null)}`, format.compression.toUpperCase()]),
    "MANIFEST VERBOSE",
    ...(fileMegabytes === undefined ? [] : [`MAXFILESIZE ${fileMegabytes} MB`]),
    ...(region === undefined ? [] : [`REGION ${quoteLiteral(region)}`]),
  ].join(" ");
}
