/**
 * What a request declares about its body: length, MD5, SHA-256, one checksum (in a header or in a
 * trailer) and the chunked format. A declaration that is malformed, doubled or unknown is refused
 * before a byte is read; whether the body keeps it is decided where the body is read.
 */
import {
  CHECKSUM_ALGORITHMS,
  type ChecksumAlgorithm,
  checksumHeader,
  isDigest,
  parseAlgorithm,
} from "./checksums.ts";
import { ChunkSignatures } from "./chunk-signatures.ts";
import type { ChunkedFormat } from "./aws-chunked.ts";
import { S3Error } from "./error.ts";
import type { Headers, S3Request } from "./request.ts";

const LARGEST_BODY = 5 * 1024 ** 3;

export interface DeclaredBody {
  /** Bytes of the data itself; undefined if the client did not say. */
  readonly length?: number;
  /** Base64. */
  readonly md5?: string;
  /** Hex. */
  readonly sha256?: string;
  readonly checksum?: {
    readonly algorithm: ChecksumAlgorithm;
    /** Undefined if it follows in a trailer. */
    readonly value?: string;
  };
  readonly chunked?: ChunkedFormat;
}

/** Reads the declaration of a request. */
export function declaredBody({ headers, signature }: S3Request): DeclaredBody {
  const trailers = announcedTrailers(headers);
  const chunked = chunkedFormat(
    signature.payload,
    trailers,
    () => new ChunkSignatures(signature.seed),
  );
  const checksum = declaredChecksum(headers, trailers);
  const length = declaredLength(headers, chunked !== undefined);
  const md5 = headers["content-md5"];
  if (md5 !== undefined && Buffer.from(md5, "base64").length !== 16) {
    throw new S3Error("InvalidDigest", "The Content-MD5 you specified was invalid.");
  }
  return {
    ...(length === undefined ? {} : { length }),
    ...(md5 === undefined ? {} : { md5 }),
    ...(isSha256(signature.payload) ? { sha256: signature.payload } : {}),
    ...(checksum === undefined ? {} : { checksum }),
    ...(chunked === undefined ? {} : { chunked }),
  };
}

function isSha256(payload: string): boolean {
  return /^[0-9a-f]{64}$/.test(payload);
}

function announcedTrailers(headers: Headers): readonly string[] {
  return (headers["x-amz-trailer"] ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "");
}

function chunkedFormat(
  payload: string,
  trailers: readonly string[],
  signatures: () => ChunkSignatures,
): ChunkedFormat | undefined {
  switch (payload) {
    case "STREAMING-UNSIGNED-PAYLOAD-TRAILER":
      return { trailers };
    case "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER":
      return { trailers, signatures: signatures() };
    case "STREAMING-AWS4-HMAC-SHA256-PAYLOAD":
      refuseTrailers(trailers);
      return { trailers, signatures: signatures() };
    default:
      refuseTrailers(trailers);
      if (payload === "UNSIGNED-PAYLOAD" || isSha256(payload)) return undefined;
      throw new S3Error("NotImplemented", `x-amz-content-sha256: ${payload} is not implemented.`);
  }
}

function refuseTrailers(trailers: readonly string[]): void {
  if (trailers.length === 0) return;
  throw new S3Error("InvalidRequest", "x-amz-trailer needs a payload that carries trailers.");
}

function declaredChecksum(
  headers: Headers,
  trailers: readonly string[],
): DeclaredBody["checksum"] | undefined {
  const inHeaders = CHECKSUM_ALGORITHMS.filter(
    (name) => headers[checksumHeader(name)] !== undefined,
  );
  const inTrailers = CHECKSUM_ALGORITHMS.filter((name) => trailers.includes(checksumHeader(name)));
  if (inTrailers.length < trailers.length) {
    throw new S3Error("NotImplemented", "Only x-amz-checksum-* trailers are implemented.");
  }
  const [algorithm, ...others] = [...inHeaders, ...inTrailers];
  if (others.length > 0) {
    throw new S3Error("InvalidRequest", "Expecting a single x-amz-checksum- header.");
  }
  const announced = headers["x-amz-sdk-checksum-algorithm"];
  if (announced !== undefined && parseAlgorithm(announced) !== algorithm) {
    throw new S3Error(
      "InvalidRequest",
      "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or " +
        "x-amz-trailer headers were found.",
    );
  }
  if (algorithm === undefined) return undefined;
  const value = headers[checksumHeader(algorithm)];
  if (value === undefined) return { algorithm };
  if (isDigest(algorithm, value)) return { algorithm, value };
  throw new S3Error("InvalidRequest", `Value for ${checksumHeader(algorithm)} header is invalid.`);
}

function declaredLength(headers: Headers, chunked: boolean): number | undefined {
  const text = headers[chunked ? "x-amz-decoded-content-length" : "content-length"];
  if (text === undefined) return undefined;
  const length = Number(text);
  if (!Number.isSafeInteger(length) || length < 0) {
    throw new S3Error("InvalidArgument", `The body's length ${text} is no number of bytes.`);
  }
  if (length > LARGEST_BODY) {
    throw new S3Error("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size");
  }
  return length;
}
