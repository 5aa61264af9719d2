/**
 * The making of a multipart upload: create, upload a part, copy a part, abort. Completing it is in
 * complete-upload.ts, listing in list-uploads.ts.
 */
import { randomBytes } from "node:crypto";
import { type ReceivedBlob, receiveBlob, receiveText } from "./body.ts";
import type { StoredPart, Upload } from "./catalog.ts";
import {
  type ChecksumAlgorithm,
  checksumElements,
  checksumHeaders,
  parseAlgorithm,
  parseChecksumType,
} from "./checksums.ts";
import { copySource, copySpan } from "./copy-source.ts";
import { S3Error } from "./error.ts";
import { declaredBody } from "./integrity.ts";
import { isoTime, modifiedNow, quoteEtag, storedHeaders } from "./object-headers.ts";
import { parseCopyRange } from "./range.ts";
import { type Reply, xmlReply } from "./reply.ts";
import type { S3Request } from "./request.ts";
import type { Store } from "./store.ts";

const MOST_PARTS = 10_000;

export async function createMultipartUpload(request: S3Request, store: Store): Promise<Reply> {
  const { bucket, key } = request;
  const checksum = checksumOfUpload(request);
  const headers = storedHeaders(request.headers);
  await receiveText(request);
  store.bucket(bucket);
  const initiated = Date.now();
  // Ids sort by time, because uploads of one key are listed in that order.
  const id = `${initiated.toString(36).padStart(9, "0")}${randomBytes(16).toString("hex")}`;
  const start = {
    bucket,
    key,
    initiated,
    headers,
    ...(checksum === undefined ? {} : { checksum }),
  };
  store.commit({ op: "upload", id, upload: start });
  const content = { Bucket: bucket, Key: key, UploadId: id };
  if (checksum === undefined) return xmlReply("InitiateMultipartUploadResult", content);
  return xmlReply("InitiateMultipartUploadResult", content, {
    "x-amz-checksum-algorithm": checksum.algorithm.toUpperCase(),
    "x-amz-checksum-type": checksum.type,
  });
}

export async function uploadPart(request: S3Request, store: Store): Promise<Reply> {
  const number = partNumber(request);
  const upload = uploadOf(request, store);
  checkPartAlgorithm(upload, declaredBody(request).checksum?.algorithm);
  const received = await receiveBlob(request, store);
  const part = keepPart(request, store, { upload, number, received });
  return { headers: { etag: quoteEtag(part.etag), ...checksumHeaders(part.checksum) } };
}

export async function uploadPartCopy(request: S3Request, store: Store): Promise<Reply> {
  const number = partNumber(request);
  const upload = uploadOf(request, store);
  const { object } = copySource(request, store);
  const range = request.headers["x-amz-copy-source-range"];
  const span =
    range === undefined ? { start: 0, end: object.size } : parseCopyRange(range, object.size);
  const received = await copySpan(store, object, span, upload.checksum?.algorithm);
  const part = keepPart(request, store, { upload, number, received });
  return xmlReply("CopyPartResult", {
    ETag: quoteEtag(part.etag),
    LastModified: isoTime(part.modified),
    ...checksumElements(part.checksum),
  });
}

export function abortMultipartUpload(request: S3Request, store: Store): Reply {
  store.commit({ op: "abort", id: uploadOf(request, store).id });
  return { status: 204 };
}

/** The upload that a request names. */
export function uploadOf({ bucket, key, query }: S3Request, store: Store): Upload {
  return store.upload(bucket, key, query.get("uploadId") ?? "");
}

function keepPart(
  request: S3Request,
  store: Store,
  { upload, number, received }: { upload: Upload; number: number; received: ReceivedBlob },
): StoredPart {
  const { blob, md5: etag, checksum } = received;
  const part: StoredPart = {
    etag,
    modified: modifiedNow(),
    blob,
    ...(checksum === undefined ? {} : { checksum }),
  };
  return store.adopt(blob, () => {
    // It may have been completed or aborted while the part was on its way.
    uploadOf(request, store);
    store.commit({ op: "part", id: upload.id, number, part });
    return part;
  });
}

function partNumber({ query }: S3Request): number {
  const text = query.get("partNumber") ?? "";
  const number = Number(text);
  if (/^\d{1,5}$/.test(text) && number >= 1 && number <= MOST_PARTS) return number;
  throw new S3Error(
    "InvalidArgument",
    `Part number must be an integer between 1 and ${MOST_PARTS}, inclusive`,
  );
}

function checksumOfUpload({ headers }: S3Request): Upload["checksum"] {
  const name = headers["x-amz-checksum-algorithm"];
  const type = headers["x-amz-checksum-type"];
  if (name !== undefined) {
    const algorithm = parseAlgorithm(name);
    return { algorithm, type: parseChecksumType(algorithm, type) };
  }
  if (type === undefined) return undefined;
  throw new S3Error("InvalidRequest", "x-amz-checksum-type needs x-amz-checksum-algorithm.");
}

/** An upload with a checksum needs that of every part; another one has no use for them. */
function checkPartAlgorithm({ checksum }: Upload, given: ChecksumAlgorithm | undefined): void {
  if (checksum === undefined || checksum.algorithm === given) return;
  throw new S3Error(
    "InvalidRequest",
    `Checksum Type mismatch occurred, expected checksum Type: ${checksum.algorithm}, ` +
      `actual checksum Type: ${given ?? "null"}`,
  );
}
