/**
 * The Range header: one span of bytes, also a suffix. A span outside the object is answered
 * InvalidRange; several spans and other units, which S3 does not serve, NotImplemented.
 */
import type { Span } from "./blobs.ts";
import { S3Error } from "./error.ts";

/** The span that a Range header asks for. */
export function parseRange(header: string, size: number): Span {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header.trim());
  const [first = "", last = ""] = match?.slice(1) ?? [];
  if (match === null || (first === "" && last === "")) {
    throw new S3Error("NotImplemented", `Range: ${header} is not one range of bytes.`);
  }
  const start = first === "" ? Math.max(size - Number(last), 0) : Number(first);
  const end = first === "" || last === "" ? size : Math.min(Number(last) + 1, size);
  if (start < end) return { start, end };
  throw new S3Error("InvalidRange", "The requested range is not satisfiable", {
    "content-range": `bytes */${size}`,
  });
}

/** The `x-amz-copy-source-range` header, which must lie inside the source. */
export function parseCopyRange(header: string, size: number): Span {
  const match = /^bytes=(\d+)-(\d+)$/.exec(header.trim());
  const start = Number(match?.[1] ?? Number.NaN);
  const end = Number(match?.[2] ?? Number.NaN) + 1;
  if (start < end && end <= size) return { start, end };
  throw new S3Error(
    "InvalidArgument",
    `The x-amz-copy-source-range ${header} must be bytes=first-last within ${size} bytes.`,
  );
}

/** The Content-Range of a span. */
export function contentRange({ start, end }: Span, size: number): string {
  return `bytes ${start}-${end - 1}/${size}`;
}
