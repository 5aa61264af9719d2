/**
 * How the files of a dataset are compressed: zstd where this Node has it (22.15 and newer), else gzip.
 * Measured at level 1: zstd takes half of gzip's time and 5 % less space. Redshift reads both; a worker
 * on an older Node reads gzip only, and says so.
 */
import type { Transform } from "node:stream";
import * as zlib from "node:zlib";
import { PermanentError } from "../core/errors.ts";

export type Compression = "gzip" | "zstd";

declare module "node:zlib" {
  export interface ZstdOptions {
    readonly chunkSize?: number;
    readonly params?: Readonly<Record<number, number>>;
  }
  /** Missing before Node 22.15. */
  export const createZstdCompress: undefined | ((options?: ZstdOptions) => Transform);
  export const createZstdDecompress: undefined | ((options?: ZstdOptions) => Transform);
}

/** Big chunks: 16 KB ones, zlib's default, cost 13 % of a load into Postgres (measured). */
const chunkSize = 256 * 1024;
/** `ZSTD_c_compressionLevel` and `ZSTD_c_windowLog`, which types for Node 20 do not have. */
const ZSTD_LEVEL = 100;
const ZSTD_WINDOW = 101;
const FILE_ENDINGS = { gzip: ".gz", zstd: ".zst" } as const;

/** What a dump chooses when it is not told. */
export function defaultCompression(): Compression {
  return zlib.createZstdCompress === undefined ? "gzip" : "zstd";
}

/** `.gz` or `.zst`: names tell readers, ours and others, how to read. */
export function fileEnding(compression: Compression): string {
  return FILE_ENDINGS[compression];
}

/** Rows of less are short, in bytes of text. */
const SHORT_ROW = 512;

/**
 * Level 1: gzip's level 6 saves 10 % of the bytes for 2.6 times the time. `rowBytes` is what a row has of
 * text, on average. What repeats itself in short rows is near, so their window is one that stays in the
 * processor's cache: 8 KB of gzip's 32, 128 KB of zstd's 512. Against all of it, gzip takes a fifth less
 * CPU on rows of 90 to 260 bytes and 7 % more on rows of 20, for files of 1.5 to 7 % less; zstd takes up to
 * a sixth less, for files of the same size. Long rows have all of it: with the small one, gzip would take
 * 8 to 33 % more CPU, and files would be 5 to 7 % longer, with zstd 5 to 15 % (`npm run bench -- compression`).
 */
export function createCompressor(compression: Compression, rowBytes: number): Transform {
  const isShort = rowBytes < SHORT_ROW;
  if (compression === "gzip") {
    return zlib.createGzip({ level: 1, windowBits: isShort ? 13 : 15, memLevel: 9, chunkSize });
  }
  if (zlib.createZstdCompress === undefined) throw withoutZstd("this dump is to be written");
  const params = { [ZSTD_LEVEL]: 1, [ZSTD_WINDOW]: isShort ? 17 : 19 };
  return zlib.createZstdCompress({ chunkSize, params });
}

/** For a file, by its name. */
export function createDecompressor(name: string): Transform {
  if (!name.endsWith(FILE_ENDINGS.zstd)) return zlib.createGunzip({ chunkSize });
  if (zlib.createZstdDecompress === undefined) throw withoutZstd(`${name} is written`);
  return zlib.createZstdDecompress({ chunkSize });
}

function withoutZstd(what: string): PermanentError {
  return new PermanentError(
    "ZSTD_UNSUPPORTED",
    `${what} with zstd, which Node ${process.versions.node} lacks: run this worker on Node 22.15 or newer, or dump with compression: "gzip"`,
  );
}
