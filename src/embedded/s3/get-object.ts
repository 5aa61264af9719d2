/**
 * GetObject and HeadObject: the whole object or one span of it, if the conditions hold.
 */
import { pipeline } from "node:stream/promises";
import type { Span } from "./blobs.ts";
import { objectChecksumHeaders } from "./checksums.ts";
import type { StoredObject } from "./catalog.ts";
import { checkReadConditions } from "./conditions.ts";
import { S3Error } from "./error.ts";
import { describingHeaders } from "./object-headers.ts";
import { contentRange, parseRange } from "./range.ts";
import type { Reply } from "./reply.ts";
import type { S3Request } from "./request.ts";
import type { Store } from "./store.ts";

const OVERRIDES = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-type",
  "expires",
];

/** Query parameters that replace a stored header in this one answer. */
export const RESPONSE_OVERRIDES: readonly string[] = OVERRIDES.map((name) => `response-${name}`);

export function getObject(request: S3Request, store: Store): Reply {
  const { object, span, reply } = describe(request, store);
  const reading = store.blobs.open(object.blobs, span);
  return {
    ...reply,
    send: async (response) => {
      try {
        await pipeline(reading.chunks(), response);
      } finally {
        reading.release();
      }
    },
  };
}

export function headObject(request: S3Request, store: Store): Reply {
  return describe(request, store).reply;
}

function describe(
  request: S3Request,
  store: Store,
): { object: StoredObject; span: Span; reply: Reply } {
  const { headers, query } = request;
  const object = store.object(request.bucket, request.key);
  checkReadConditions(headers, object);
  const range = headers["range"];
  const span =
    range === undefined ? { start: 0, end: object.size } : parseRange(range, object.size);
  const described: Record<string, string | number> = {
    ...describingHeaders(object),
    "content-length": span.end - span.start,
  };
  for (const name of OVERRIDES) {
    const override = query.get(`response-${name}`);
    if (override !== undefined) described[name] = override;
  }
  if (range !== undefined) described["content-range"] = contentRange(span, object.size);
  // A checksum is that of the whole object, so a span has none.
  else if (wantsChecksum(headers["x-amz-checksum-mode"])) {
    Object.assign(described, objectChecksumHeaders(object.checksum));
  }
  const status = range === undefined ? 200 : 206;
  return { object, span, reply: { status, headers: described } };
}

function wantsChecksum(mode: string | undefined): boolean {
  if (mode === undefined || mode === "ENABLED") return mode !== undefined;
  throw new S3Error("InvalidArgument", `x-amz-checksum-mode: ${mode} must be ENABLED.`);
}
