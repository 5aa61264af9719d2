/**
 * ListMultipartUploads and ListParts, in pages.
 */
import { OWNER } from "./buckets.ts";
import type { Upload } from "./catalog.ts";
import { checksumElements } from "./checksums.ts";
import { uploadOf } from "./multipart.ts";
import { isoTime, quoteEtag } from "./object-headers.ts";
import { keyEncoding, pageLimit } from "./paging.ts";
import { type Reply, xmlReply } from "./reply.ts";
import type { S3Request } from "./request.ts";
import type { Store } from "./store.ts";
import { compareUtf8 } from "./utf8-order.ts";

export function listMultipartUploads({ bucket, query }: S3Request, store: Store): Reply {
  const prefix = query.get("prefix") ?? "";
  const keyMarker = query.get("key-marker") ?? "";
  const idMarker = query.get("upload-id-marker") ?? "";
  const limit = pageLimit(query, "max-uploads");
  const { type, encode } = keyEncoding(query);
  const matching = store
    .uploads(bucket)
    .filter(({ key }) => key.startsWith(prefix))
    .filter((upload) => isBehind(upload, keyMarker, idMarker))
    .sort((a, b) => compareUtf8(a.key, b.key) || compareUtf8(a.id, b.id));
  const page = matching.slice(0, limit);
  const last = page.length < matching.length ? page.at(-1) : undefined;
  return xmlReply("ListMultipartUploadsResult", {
    Bucket: bucket,
    KeyMarker: encode(keyMarker),
    UploadIdMarker: idMarker,
    NextKeyMarker: last === undefined ? undefined : encode(last.key),
    NextUploadIdMarker: last?.id,
    Prefix: encode(prefix),
    EncodingType: type,
    MaxUploads: limit,
    IsTruncated: last !== undefined,
    Upload: page.map((upload) => ({
      Key: encode(upload.key),
      UploadId: upload.id,
      Initiator: OWNER,
      Owner: OWNER,
      StorageClass: "STANDARD",
      Initiated: isoTime(upload.initiated),
      ...checksumOfUpload(upload),
    })),
  });
}

export function listParts(request: S3Request, store: Store): Reply {
  const upload = uploadOf(request, store);
  const { query } = request;
  const marker = Number(query.get("part-number-marker") ?? 0);
  const limit = pageLimit(query, "max-parts");
  const { type, encode } = keyEncoding(query);
  const matching = [...upload.parts]
    .filter(([number]) => number > marker)
    .sort(([a], [b]) => a - b);
  const page = matching.slice(0, limit);
  const isTruncated = page.length < matching.length;
  return xmlReply("ListPartsResult", {
    Bucket: upload.bucket,
    Key: encode(upload.key),
    UploadId: upload.id,
    EncodingType: type,
    Initiator: OWNER,
    Owner: OWNER,
    StorageClass: "STANDARD",
    ...checksumOfUpload(upload),
    PartNumberMarker: marker,
    NextPartNumberMarker: isTruncated ? page.at(-1)?.[0] : undefined,
    MaxParts: limit,
    IsTruncated: isTruncated,
    Part: page.map(([number, part]) => ({
      PartNumber: number,
      LastModified: isoTime(part.modified),
      ETag: quoteEtag(part.etag),
      Size: part.blob.size,
      ...checksumElements(part.checksum),
    })),
  });
}

/** Behind the key marker; with an id marker, also the later uploads of that very key. */
function isBehind({ key, id }: Upload, keyMarker: string, idMarker: string): boolean {
  if (keyMarker === "") return true;
  const order = compareUtf8(key, keyMarker);
  return order > 0 || (order === 0 && idMarker !== "" && id > idMarker);
}

function checksumOfUpload({ checksum }: Upload): Record<string, string> {
  if (checksum === undefined) return {};
  return { ChecksumAlgorithm: checksum.algorithm.toUpperCase(), ChecksumType: checksum.type };
}
