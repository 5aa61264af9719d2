/**
 * The chain of signatures over the chunks of an aws-chunked body: each continues from the one
 * before, the first from the request's own, and the signature over the trailers ends it.
 */
import { checkEqual, hmac, type SigningSeed, sha256Hex } from "./sigv4.ts";

const EMPTY_SHA256 = sha256Hex("");

export class ChunkSignatures {
  readonly #seed: SigningSeed;
  #previous: string;

  constructor(seed: SigningSeed) {
    this.#seed = seed;
    this.#previous = seed.signature;
  }

  /** Verifies a chunk by the hash of its data. */
  verifyChunk(dataSha256: string, signature: string): void {
    this.#verify("AWS4-HMAC-SHA256-PAYLOAD", [EMPTY_SHA256, dataSha256], signature);
  }

  /** Verifies the trailers, as `name:value` pairs. */
  verifyTrailers(trailers: ReadonlyMap<string, string>, signature: string): void {
    const canonical = [...trailers]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => `${name}:${value}\n`)
      .join("");
    this.#verify("AWS4-HMAC-SHA256-TRAILER", [sha256Hex(canonical)], signature);
  }

  #verify(algorithm: string, hashes: readonly string[], signature: string): void {
    const { key, timestamp, scope } = this.#seed;
    const text = [algorithm, timestamp, scope, this.#previous, ...hashes].join("\n");
    checkEqual(hmac(key, text).toString("hex"), signature);
    this.#previous = signature;
  }
}
