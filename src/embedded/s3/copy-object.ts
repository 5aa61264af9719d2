/**
 * CopyObject: a new object with the bytes of another, and its stored headers or new ones.
 */
import type { StoredObject } from "./catalog.ts";
import { checksumElements, parseAlgorithm } from "./checksums.ts";
import { writeCondition } from "./conditions.ts";
import { type CopySource, copySource, copySpan } from "./copy-source.ts";
import { S3Error } from "./error.ts";
import { isoTime, modifiedNow, quoteEtag, storedHeaders } from "./object-headers.ts";
import { type Reply, xmlReply } from "./reply.ts";
import type { S3Request } from "./request.ts";
import type { Store } from "./store.ts";

export async function copyObject(request: S3Request, store: Store): Promise<Reply> {
  const { bucket, key } = request;
  const condition = writeCondition(request.headers);
  condition.before(store.findObject(bucket, key));
  const source = copySource(request, store);
  const headers = headersOfCopy(request, source);
  const named = request.headers["x-amz-checksum-algorithm"];
  const algorithm = named === undefined ? source.object.checksum?.algorithm : parseAlgorithm(named);
  const whole = { start: 0, end: source.object.size };
  const { blob, size, md5, checksum } = await copySpan(store, source.object, whole, algorithm);
  const object: StoredObject = {
    etag: md5,
    size,
    modified: modifiedNow(),
    headers,
    blobs: [blob],
    ...(checksum === undefined ? {} : { checksum: { ...checksum, type: "FULL_OBJECT" } }),
  };
  store.adopt(blob, () => {
    condition.atCommit(store.findObject(bucket, key));
    store.commit({ op: "put", bucket, key, object });
  });
  return xmlReply("CopyObjectResult", {
    ETag: quoteEtag(md5),
    LastModified: isoTime(object.modified),
    ChecksumType: object.checksum?.type,
    ...checksumElements(checksum),
  });
}

function headersOfCopy(
  { bucket, key, headers }: S3Request,
  source: CopySource,
): Readonly<Record<string, string>> {
  const directive = headers["x-amz-metadata-directive"] ?? "COPY";
  if (directive === "REPLACE") return storedHeaders(headers);
  if (directive !== "COPY") {
    throw new S3Error("InvalidArgument", "x-amz-metadata-directive must be COPY or REPLACE.");
  }
  if (source.bucket === bucket && source.key === key) {
    throw new S3Error(
      "InvalidRequest",
      "This copy request is illegal because it is trying to copy an object to itself without " +
        "changing the object's metadata.",
    );
  }
  return source.object.headers;
}
