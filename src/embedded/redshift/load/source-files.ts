/** Which objects a COPY reads: all that begin with a prefix, or those of a manifest. */

import { HeadObjectCommand, paginateListObjectsV2, type S3Client } from "@aws-sdk/client-s3";
import { z } from "zod";
import { isMissing } from "../../../stores/s3/errors.ts";
import { readObject } from "../../../stores/s3/read-object.ts";
import { s3Error } from "../s3-access.ts";
import { type S3Path, s3Path } from "../sql/option-values.ts";
import { internalError } from "../sql-error.ts";

const manifestSchema = z.object({
  entries: z.array(z.object({ url: z.string(), mandatory: z.boolean().default(false) })),
});

export interface Lookup {
  readonly client: S3Client;
  readonly queryId: string;
  readonly signal: AbortSignal;
}

export const urlOf = ({ bucket, key }: S3Path): string => `s3://${bucket}/${key}`;

/** Everything whose key begins so, `orders.bak` and `orders2/` included. */
export async function filesOfPrefix(prefix: S3Path, lookup: Lookup): Promise<readonly S3Path[]> {
  const files: S3Path[] = [];
  try {
    const pages = paginateListObjectsV2(
      { client: lookup.client },
      { Bucket: prefix.bucket, Prefix: prefix.key },
      { abortSignal: lookup.signal },
    );
    for await (const { Contents = [] } of pages) {
      files.push(...Contents.map(({ Key = "" }) => ({ bucket: prefix.bucket, key: Key })));
    }
  } catch (error) {
    throw s3Error(error, urlOf(prefix), lookup.queryId);
  }
  if (files.length > 0) return files;
  throw internalError(
    `The specified S3 prefix '${prefix.key}' does not exist`,
    8001,
    lookup.queryId,
  );
}

/** In the manifest's order, one twice if it is listed twice. Missing ones are skipped, unless mandatory. */
export async function filesOfManifest(
  manifest: S3Path,
  lookup: Lookup,
): Promise<readonly S3Path[]> {
  const files: S3Path[] = [];
  for (const { url, mandatory } of await entriesOf(manifest, lookup)) {
    const file = s3Path(url);
    if (await exists(file, lookup)) files.push(file);
    else if (mandatory) {
      throw internalError(
        `The specified S3 object '${url}' of the manifest does not exist, and is mandatory`,
        8001,
        lookup.queryId,
      );
    }
  }
  return files;
}

async function entriesOf(manifest: S3Path, { client, queryId, signal }: Lookup) {
  const where = { Bucket: manifest.bucket, Key: manifest.key };
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of readObject(client, where, signal)) chunks.push(chunk);
  } catch (error) {
    throw s3Error(error, urlOf(manifest), queryId);
  }
  try {
    return manifestSchema.parse(JSON.parse(Buffer.concat(chunks).toString("utf8"))).entries;
  } catch {
    throw internalError(
      `Manifest file ${urlOf(manifest)} is not in the proper format`,
      8001,
      queryId,
    );
  }
}

async function exists(file: S3Path, { client, queryId, signal }: Lookup): Promise<boolean> {
  try {
    const head = new HeadObjectCommand({ Bucket: file.bucket, Key: file.key });
    await client.send(head, { abortSignal: signal });
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw s3Error(error, urlOf(file), queryId);
  }
}
