/**
 * ListObjectsV2 and ListObjects (version 1): the same page of keys, two forms of paging.
 */
import { OWNER } from "./buckets.ts";
import type { Bucket } from "./catalog.ts";
import { S3Error } from "./error.ts";
import { type KeyPage, keyPage } from "./key-page.ts";
import { isoTime, quoteEtag } from "./object-headers.ts";
import { keyEncoding, pageLimit, readToken, writeToken } from "./paging.ts";
import { type Reply, xmlReply } from "./reply.ts";
import type { S3Request } from "./request.ts";
import type { Store } from "./store.ts";
import type { XmlContent } from "./xml.ts";

export function listObjectsV2({ bucket: name, query }: S3Request, store: Store): Reply {
  if (query.get("list-type") !== "2") {
    throw new S3Error("InvalidArgument", "Invalid List Type specified in request");
  }
  const token = query.get("continuation-token");
  const startAfter = query.get("start-after") ?? "";
  const listing = list(
    store.bucket(name),
    query,
    token === undefined ? startAfter : readToken(token),
  );
  const { page, encode } = listing;
  return xmlReply("ListBucketResult", {
    ...listing.common(query.get("fetch-owner") === "true"),
    KeyCount: page.keys.length + page.commonPrefixes.length,
    ContinuationToken: token,
    NextContinuationToken: page.next === undefined ? undefined : writeToken(page.next),
    StartAfter: startAfter === "" ? undefined : encode(startAfter),
  });
}

export function listObjects({ bucket: name, query }: S3Request, store: Store): Reply {
  const marker = query.get("marker") ?? "";
  const listing = list(store.bucket(name), query, marker);
  const { page, encode } = listing;
  // Without a delimiter the last key says where to go on, and S3 sends no marker.
  const rollsUp = (query.get("delimiter") ?? "") !== "";
  return xmlReply("ListBucketResult", {
    ...listing.common(true),
    Marker: encode(marker),
    NextMarker: rollsUp && page.next !== undefined ? encode(page.next) : undefined,
  });
}

function list(
  bucket: Bucket,
  query: ReadonlyMap<string, string>,
  after: string,
): {
  page: KeyPage;
  encode: (key: string) => string;
  common: (withOwner: boolean) => Record<string, XmlContent>;
} {
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const limit = pageLimit(query, "max-keys");
  const { type, encode } = keyEncoding(query);
  const page = keyPage(bucket.order.all(), { prefix, delimiter, after, limit });
  const common = (withOwner: boolean): Record<string, XmlContent> => ({
    Name: bucket.name,
    Prefix: encode(prefix),
    Delimiter: delimiter === "" ? undefined : encode(delimiter),
    MaxKeys: limit,
    EncodingType: type,
    IsTruncated: page.next !== undefined,
    Contents: page.keys.map((key) => contents(bucket, key, encode, withOwner)),
    CommonPrefixes: page.commonPrefixes.map((common) => ({ Prefix: encode(common) })),
  });
  return { page, encode, common };
}

function contents(
  bucket: Bucket,
  key: string,
  encode: (key: string) => string,
  withOwner: boolean,
): XmlContent {
  const object = bucket.objects.get(key);
  if (object === undefined) return undefined;
  return {
    Key: encode(key),
    LastModified: isoTime(object.modified),
    ETag: quoteEtag(object.etag),
    ChecksumAlgorithm: object.checksum?.algorithm.toUpperCase(),
    ChecksumType: object.checksum?.type,
    Size: object.size,
    StorageClass: "STANDARD",
    Owner: withOwner ? OWNER : undefined,
  };
}
