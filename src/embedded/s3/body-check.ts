/**
 * A stream that passes a body on and holds it against its declaration: it decodes aws-chunked,
 * counts, and computes only the digests that somebody needs. If the body breaks its word, the
 * stream fails before its end, so nothing downstream ever takes such a body for complete.
 */
import { createHash, type Hash } from "node:crypto";
import { Transform, type TransformCallback } from "node:stream";
import { AwsChunkedDecoder } from "./aws-chunked.ts";
import {
  type Checksum,
  type ChecksumAlgorithm,
  checksumHeader,
  createChecksum,
} from "./checksums.ts";
import type { Digest } from "./crc.ts";
import { S3Error } from "./error.ts";
import type { DeclaredBody } from "./integrity.ts";

export interface BodyDigests {
  readonly size: number;
  /** Hex; empty if nobody asked for it. */
  readonly md5: string;
  readonly checksum?: Checksum;
}

export class BodyCheck extends Transform {
  readonly #declared: DeclaredBody;
  readonly #decoder: AwsChunkedDecoder | undefined;
  readonly #md5: Hash | undefined;
  readonly #sha256: Hash | undefined;
  readonly #algorithm: ChecksumAlgorithm | undefined;
  readonly #checksum: Digest | undefined;
  #digests: BodyDigests = { size: 0, md5: "" };
  #size = 0;

  /** `wants` adds digests that the caller needs besides those declared. */
  constructor(
    declared: DeclaredBody,
    wants: { readonly md5?: boolean; readonly checksum?: ChecksumAlgorithm | undefined } = {},
  ) {
    super();
    this.#declared = declared;
    if (declared.chunked !== undefined) this.#decoder = new AwsChunkedDecoder(declared.chunked);
    if (wants.md5 === true || declared.md5 !== undefined) this.#md5 = createHash("md5");
    if (declared.sha256 !== undefined) this.#sha256 = createHash("sha256");
    this.#algorithm = declared.checksum?.algorithm ?? wants.checksum;
    if (this.#algorithm !== undefined) this.#checksum = createChecksum(this.#algorithm);
  }

  /** Complete once the stream has ended. */
  get digests(): BodyDigests {
    return this.#digests;
  }

  override _transform(bytes: Buffer, _: BufferEncoding, done: TransformCallback): void {
    try {
      for (const data of this.#decoder?.push(bytes) ?? [bytes]) this.#take(data);
      done();
    } catch (error) {
      done(asError(error));
    }
  }

  override _flush(done: TransformCallback): void {
    try {
      this.#decoder?.end();
      this.#verify();
      done();
    } catch (error) {
      done(asError(error));
    }
  }

  #take(data: Buffer): void {
    this.#size += data.length;
    if (this.#size > (this.#declared.length ?? Number.POSITIVE_INFINITY)) throw this.#wrongLength();
    this.#md5?.update(data);
    this.#sha256?.update(data);
    this.#checksum?.update(data);
    this.push(data);
  }

  #verify(): void {
    const { length, md5: declaredMd5, sha256 } = this.#declared;
    if (length !== undefined && length !== this.#size) throw this.#wrongLength();
    if (sha256 !== undefined && this.#sha256?.digest("hex") !== sha256) {
      throw new S3Error(
        "XAmzContentSHA256Mismatch",
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
      );
    }
    const md5 = this.#md5?.digest();
    if (declaredMd5 !== undefined && md5?.toString("base64") !== declaredMd5) {
      throw new S3Error(
        "BadDigest",
        "The Content-MD5 you specified did not match what we received.",
      );
    }
    const checksum = this.#verifiedChecksum();
    this.#digests = {
      size: this.#size,
      md5: md5?.toString("hex") ?? "",
      ...(checksum === undefined ? {} : { checksum }),
    };
  }

  #verifiedChecksum(): Checksum | undefined {
    if (this.#algorithm === undefined || this.#checksum === undefined) return undefined;
    const checksum = {
      algorithm: this.#algorithm,
      value: this.#checksum.digest().toString("base64"),
    };
    const trailer = this.#decoder?.trailers.get(checksumHeader(this.#algorithm));
    const expected = this.#declared.checksum?.value ?? trailer;
    if (this.#declared.checksum === undefined || expected === checksum.value) return checksum;
    throw new S3Error(
      "BadDigest",
      `The ${this.#algorithm.toUpperCase()} you specified did not match the calculated checksum.`,
    );
  }

  #wrongLength(): S3Error {
    return new S3Error(
      "IncompleteBody",
      "You did not provide the number of bytes specified by the Content-Length HTTP header",
    );
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
