/**
 * Decodes `Content-Encoding: aws-chunked`: data in sized chunks, each signed or none, then
 * trailers, signed or not. It holds at most one header line in memory; data passes through as it
 * arrives. Anything the format does not allow is refused at once.
 */
import { createHash, type Hash } from "node:crypto";
import type { ChunkSignatures } from "./chunk-signatures.ts";
import { S3Error } from "./error.ts";

const LONGEST_LINE = 8192;
const TRAILER_SIGNATURE = "x-amz-trailer-signature";

type State = "size" | "data" | "data end" | "trailers" | "done";

export interface ChunkedFormat {
  /** Present if every chunk is signed. */
  readonly signatures?: ChunkSignatures;
  /** Names of the trailers that the request announced. */
  readonly trailers: readonly string[];
}

export class AwsChunkedDecoder {
  readonly #format: ChunkedFormat;
  readonly #trailers = new Map<string, string>();
  #state: State = "size";
  #line = Buffer.alloc(0);
  #remaining = 0;
  #hash: Hash | undefined;
  #signature = "";

  constructor(format: ChunkedFormat) {
    this.#format = format;
  }

  /** The trailers, once the body has ended. */
  get trailers(): ReadonlyMap<string, string> {
    return this.#trailers;
  }

  /** Takes the next bytes of the wire and returns the data among them. */
  push(bytes: Buffer): Buffer[] {
    const data: Buffer[] = [];
    let rest = bytes;
    while (rest.length > 0) {
      if (this.#state === "data") {
        const part = rest.subarray(0, this.#remaining);
        rest = rest.subarray(part.length);
        this.#takeData(part);
        data.push(part);
      } else {
        rest = this.#takeLine(rest);
      }
    }
    return data;
  }

  /** Answers IncompleteBody unless the last byte of the format was seen. */
  end(): void {
    if (this.#state !== "done") {
      throw new S3Error("IncompleteBody", "The request body terminated unexpectedly");
    }
  }

  #takeData(part: Buffer): void {
    this.#hash?.update(part);
    this.#remaining -= part.length;
    if (this.#remaining > 0) return;
    this.#verifyChunk();
    this.#state = "data end";
  }

  #takeLine(bytes: Buffer): Buffer {
    const end = bytes.indexOf(10);
    const piece = end === -1 ? bytes : bytes.subarray(0, end + 1);
    this.#line = Buffer.concat([this.#line, piece]);
    if (this.#line.length > LONGEST_LINE) throw malformed("a line is too long");
    if (end !== -1) {
      const line = this.#line.toString("latin1");
      this.#line = Buffer.alloc(0);
      if (!line.endsWith("\r\n")) throw malformed("a line does not end with CR LF");
      this.#interpret(line.slice(0, -2));
    }
    return bytes.subarray(piece.length);
  }

  #interpret(line: string): void {
    if (this.#state === "size") this.#startChunk(line);
    else if (this.#state === "trailers") this.#takeTrailer(line);
    else if (this.#state === "done" || line !== "") throw malformed("unexpected bytes");
    else this.#state = "size";
  }

  #startChunk(line: string): void {
    const match = /^([0-9a-f]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/i.exec(line);
    if (match === null) throw malformed("a chunk has no valid size");
    this.#remaining = Number.parseInt(match[1] ?? "", 16);
    this.#signature = match[2] ?? "";
    if (this.#format.signatures !== undefined) this.#hash = createHash("sha256");
    this.#state = "data";
    if (this.#remaining > 0) return;
    this.#verifyChunk();
    this.#state = "trailers";
  }

  #verifyChunk(): void {
    if (this.#hash === undefined) return;
    this.#format.signatures?.verifyChunk(this.#hash.digest("hex"), this.#signature);
  }

  #takeTrailer(line: string): void {
    if (line === "") return this.#finishTrailers();
    const colon = line.indexOf(":");
    if (colon === -1) throw malformed("a trailer has no value");
    this.#trailers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }

  #finishTrailers(): void {
    const signature = this.#trailers.get(TRAILER_SIGNATURE) ?? "";
    this.#trailers.delete(TRAILER_SIGNATURE);
    const { signatures, trailers } = this.#format;
    const announced = trailers.every((name) => this.#trailers.has(name));
    if (!announced || this.#trailers.size !== trailers.length) {
      throw new S3Error(
        "MalformedTrailerError",
        `The trailers must be those announced in x-amz-trailer: ${trailers.join(", ") || "none"}`,
      );
    }
    if (signatures !== undefined && trailers.length > 0) {
      signatures.verifyTrailers(this.#trailers, signature);
    }
    this.#state = "done";
  }
}

function malformed(what: string): S3Error {
  return new S3Error("InvalidRequest", `The aws-chunked body is malformed: ${what}.`);
}
