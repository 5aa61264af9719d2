/**
 * The checksums a client may declare, their header names, and the two ways S3 derives the checksum
 * of a multipart object from its parts: COMPOSITE (a checksum of checksums, "-N") and FULL_OBJECT.
 */
import { createHash } from "node:crypto";
import { combineCrcs, createCrc, type Digest } from "./crc.ts";
import { S3Error } from "./error.ts";

export const CHECKSUM_ALGORITHMS = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"] as const;
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];

const CHECKSUM_TYPES = ["COMPOSITE", "FULL_OBJECT"] as const;
export type ChecksumType = (typeof CHECKSUM_TYPES)[number];

export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Base64, followed by "-N" if composite. */
  readonly value: string;
}

export interface ObjectChecksum extends Checksum {
  readonly type: ChecksumType;
}

/** Length of each digest in bytes. */
const DIGEST_BYTES: Readonly<Record<ChecksumAlgorithm, number>> = {
  crc32: 4,
  crc32c: 4,
  crc64nvme: 8,
  sha1: 20,
  sha256: 32,
};

export const checksumHeader = (algorithm: ChecksumAlgorithm): string =>
  `x-amz-checksum-${algorithm}`;

export const CHECKSUM_HEADERS: readonly string[] = CHECKSUM_ALGORITHMS.map(checksumHeader);

/** Starts a checksum over a body. */
export function createChecksum(algorithm: ChecksumAlgorithm): Digest {
  return algorithm === "sha1" || algorithm === "sha256"
    ? createHash(algorithm)
    : createCrc(algorithm);
}

/** The algorithm named as in `x-amz-checksum-algorithm: CRC32`. */
export function parseAlgorithm(text: string): ChecksumAlgorithm {
  const algorithm = CHECKSUM_ALGORITHMS.find((name) => name === text.toLowerCase());
  if (algorithm !== undefined) return algorithm;
  throw new S3Error("NotImplemented", `Checksum algorithm ${text} is not implemented.`);
}

/** The type of a multipart object's checksum: the one asked for, else the algorithm's default. */
export function parseChecksumType(
  algorithm: ChecksumAlgorithm,
  text: string | undefined,
): ChecksumType {
  const fallback = algorithm === "crc64nvme" ? "FULL_OBJECT" : "COMPOSITE";
  const type = text === undefined ? fallback : CHECKSUM_TYPES.find((name) => name === text);
  const impossible = algorithm.startsWith("sha") ? "FULL_OBJECT" : "COMPOSITE";
  const fixed = algorithm.startsWith("sha") || algorithm === "crc64nvme";
  if (type === undefined || (fixed && type === impossible)) {
    throw new S3Error(
      "InvalidRequest",
      `The ${text} checksum type cannot be used with the ${algorithm} checksum algorithm.`,
    );
  }
  return type;
}

/** Whether the text is a digest of that algorithm. */
export function isDigest(algorithm: ChecksumAlgorithm, value: string): boolean {
  const bytes = Buffer.from(value, "base64");
  return bytes.length === DIGEST_BYTES[algorithm] && bytes.toString("base64") === value;
}

/** The response header that carries a checksum. */
export function checksumHeaders(checksum: Checksum | undefined): Record<string, string> {
  return checksum === undefined ? {} : { [checksumHeader(checksum.algorithm)]: checksum.value };
}

/** The headers of an object's checksum, which also name its type. */
export function objectChecksumHeaders(
  checksum: ObjectChecksum | undefined,
): Record<string, string> {
  if (checksum === undefined) return {};
  return { ...checksumHeaders(checksum), "x-amz-checksum-type": checksum.type };
}

/** The XML element that carries a checksum, e.g. `ChecksumCRC32`. */
export function checksumElements(checksum: Checksum | undefined): Record<string, string> {
  return checksum === undefined ? {} : { [checksumElement(checksum.algorithm)]: checksum.value };
}

export const checksumElement = (algorithm: ChecksumAlgorithm): string =>
  `Checksum${algorithm.toUpperCase()}`;

/** The checksum of a multipart object from those of its parts. */
export function combineChecksums(
  algorithm: ChecksumAlgorithm,
  type: ChecksumType,
  parts: readonly { readonly value: string; readonly length: number }[],
): ObjectChecksum {
  const digests = parts.map(({ value, length }) => ({
    digest: Buffer.from(value, "base64"),
    length,
  }));
  if (type === "FULL_OBJECT" && algorithm !== "sha1" && algorithm !== "sha256") {
    return { algorithm, type, value: combineCrcs(algorithm, digests).toString("base64") };
  }
  const outer = createChecksum(algorithm);
  for (const { digest } of digests) outer.update(digest);
  return { algorithm, type, value: `${outer.digest().toString("base64")}-${parts.length}` };
}
