/**
 * The headers that a client stores with an object and gets back with it: the standard ones of
 * content, and its own `x-amz-meta-*`. `aws-chunked` is a form of transfer and is not stored.
 */
import type { StoredObject } from "./catalog.ts";
import { S3Error } from "./error.ts";
import type { Headers } from "./request.ts";

const CONTENT_HEADERS = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-type",
  "expires",
];
const LARGEST_METADATA_BYTES = 2048;
const METADATA = "x-amz-meta-";

/** Request headers with which an object is stored. */
export const STORED_HEADERS: readonly string[] = [...CONTENT_HEADERS, `${METADATA}*`];

/** The part of a request's headers that is stored. */
export function storedHeaders(headers: Headers): Record<string, string> {
  const stored: Record<string, string> = { "content-type": "binary/octet-stream" };
  let metadataBytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    if (name.startsWith(METADATA)) {
      metadataBytes += Buffer.byteLength(name) - METADATA.length + Buffer.byteLength(value);
    } else if (!CONTENT_HEADERS.includes(name)) continue;
    stored[name] = value;
  }
  if (metadataBytes > LARGEST_METADATA_BYTES) {
    throw new S3Error(
      "MetadataTooLarge",
      "Your metadata headers exceed the maximum allowed metadata size",
    );
  }
  return withoutTransferCoding(stored);
}

/** The response headers that describe an object. */
export function describingHeaders(object: StoredObject): Record<string, string> {
  return {
    ...object.headers,
    etag: quoteEtag(object.etag),
    "last-modified": new Date(object.modified).toUTCString(),
    "accept-ranges": "bytes",
  };
}

export const quoteEtag = (etag: string): string => `"${etag}"`;

/** The time S3 would record now: it keeps whole seconds. */
export const modifiedNow = (): number => Math.floor(Date.now() / 1000) * 1000;

export const isoTime = (time: number): string => new Date(time).toISOString();

function withoutTransferCoding(headers: Record<string, string>): Record<string, string> {
  const { "content-encoding": encoding, ...others } = headers;
  const kept = (encoding ?? "")
    .split(",")
    .map((coding) => coding.trim())
    .filter((coding) => coding !== "" && coding !== "aws-chunked");
  return kept.length === 0 ? others : { ...others, "content-encoding": kept.join(",") };
}
