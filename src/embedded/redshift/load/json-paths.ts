/**
 * A JSONPaths file: for each column, in the order of COPY's list, where its value is in an object. As in
 * Redshift only names and positions (`$.a.b[0]`, `$['a']['b']`); a path that leads nowhere is NULL.
 */

import type { S3Client } from "@aws-sdk/client-s3";
import { z } from "zod";
import { readObject } from "../../../stores/s3/read-object.ts";
import { s3Error } from "../s3-access.ts";
import type { S3Path } from "../sql/option-values.ts";
import { internalError } from "../sql-error.ts";
import { urlOf } from "./source-files.ts";

/** Names of members, and positions in arrays. */
export type JsonPath = readonly (string | number)[];

interface Lookup {
  readonly client: S3Client;
  readonly queryId: string;
  readonly signal: AbortSignal;
}

const INVALID_PATHS = 8001;
const fileSchema = z.object({ jsonpaths: z.array(z.string()) });
const STEP = /\.([^.[\]'"\s]+)|\[(\d+)\]|\['([^']*)'\]/y;

export async function readJsonPaths(
  file: S3Path,
  columns: number,
  { client, queryId, signal }: Lookup,
): Promise<readonly JsonPath[]> {
  const chunks: Buffer[] = [];
  const url = urlOf(file);
  try {
    const where = { Bucket: file.bucket, Key: file.key };
    for await (const chunk of readObject(client, where, signal)) chunks.push(chunk);
  } catch (error) {
    throw s3Error(error, url, queryId);
  }
  const invalid = (why: string) =>
    internalError(`Invalid JSONPath format in ${url}: ${why}`, INVALID_PATHS, queryId);
  const found = fileSchema.safeParse(parsed(Buffer.concat(chunks).toString("utf8")));
  if (!found.success) throw invalid('expected {"jsonpaths": ["$.a", …]}');
  const paths = found.data.jsonpaths.map((text) => {
    const path = pathOf(text);
    if (path === undefined) throw invalid(`${text} is not supported`);
    return path;
  });
  if (paths.length !== columns) {
    const counts = `${paths.length} paths for ${columns} columns`;
    throw internalError(
      `Number of jsonpaths and the number of columns should match (${counts})`,
      INVALID_PATHS,
      queryId,
    );
  }
  return paths;
}

/** Undefined for what is not of the form that Redshift takes: wildcards, filters, `..`. */
function pathOf(text: string): JsonPath | undefined {
  if (!text.startsWith("$")) return undefined;
  const steps: (string | number)[] = [];
  STEP.lastIndex = 1;
  for (let at = 1; at < text.length; at = STEP.lastIndex) {
    const [step, name, position, quoted] = STEP.exec(text) ?? [];
    if (step === undefined || name === "*") return undefined;
    steps.push(position === undefined ? (name ?? quoted ?? "") : Number(position));
  }
  return steps;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
