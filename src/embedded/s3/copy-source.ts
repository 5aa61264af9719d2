/**
 * The source of CopyObject and UploadPartCopy, named by the `x-amz-copy-source` header: looked up,
 * its conditions checked, its bytes copied to a new blob.
 */
import type { Span } from "./blobs.ts";
import { copyToBlob, type ReceivedBlob } from "./body.ts";
import type { StoredObject } from "./catalog.ts";
import type { ChecksumAlgorithm } from "./checksums.ts";
import { checkSourceConditions, READ_CONDITIONS } from "./conditions.ts";
import { S3Error } from "./error.ts";
import type { S3Request } from "./request.ts";
import type { Store } from "./store.ts";
import { decodeUri } from "./uri.ts";

const LARGEST_COPY = 5 * 1024 ** 3;

export const COPY_SOURCE = "x-amz-copy-source";
export const COPY_SOURCE_HEADERS: readonly string[] = [
  COPY_SOURCE,
  ...READ_CONDITIONS.map((name) => `${COPY_SOURCE}-${name}`),
];

export interface CopySource {
  readonly bucket: string;
  readonly key: string;
  readonly object: StoredObject;
}

/** Looks up the source of a copy. */
export function copySource({ headers }: S3Request, store: Store): CopySource {
  const raw = headers[COPY_SOURCE] ?? "";
  if (/\?versionId=/.test(raw)) {
    throw new S3Error("NotImplemented", "Versions of objects are not implemented.");
  }
  const path = decodeUri(raw).replace(/^\//, "");
  const slash = path.indexOf("/");
  if (slash < 1 || slash === path.length - 1) {
    throw new S3Error("InvalidArgument", `${COPY_SOURCE} must be bucket/key, URL-encoded.`);
  }
  const [bucket, key] = [path.slice(0, slash), path.slice(slash + 1)];
  const object = store.object(bucket, key);
  checkSourceConditions(headers, object);
  return { bucket, key, object };
}

/** Copies a span of the source. */
export async function copySpan(
  store: Store,
  { blobs }: StoredObject,
  span: Span,
  checksum: ChecksumAlgorithm | undefined,
): Promise<ReceivedBlob> {
  if (span.end - span.start > LARGEST_COPY) {
    throw new S3Error(
      "InvalidRequest",
      "The specified copy source is larger than the maximum allowable size for a copy source: " +
        LARGEST_COPY,
    );
  }
  const reading = store.blobs.open(blobs, span);
  try {
    return await copyToBlob(store, reading.chunks(), checksum);
  } finally {
    reading.release();
  }
}
