/** GZIP and ZSTD, as far as this Node has them. */

import { Duplex, PassThrough } from "node:stream";
import * as zlib from "node:zlib";
import { notCarriedOut } from "./sql-error.ts";

type Compression = "gzip" | "zstd" | undefined;

export function compressor(compression: Compression): Duplex {
  if (compression === undefined) return new PassThrough();
  if (compression === "gzip") return zlib.createGzip({ level: 1 });
  return zstd("createZstdCompress");
}

export function decompressor(compression: Compression): Duplex {
  if (compression === undefined) return new PassThrough();
  if (compression === "gzip") return zlib.createGunzip({ chunkSize: 256 * 1024 });
  return zstd("createZstdDecompress");
}

/** Refuses, before anything is read or written, what cannot be carried out. */
export function checkCompression(compression: Compression): void {
  if (compression === "zstd" && !("createZstdCompress" in zlib)) {
    throw notCarriedOut(`ZSTD on Node ${process.version} (22.15 or later has it)`);
  }
}

/** Node 20 has none, so its types have none either. */
function zstd(name: string): Duplex {
  const create: unknown = Reflect.get(zlib, name);
  const made: unknown = typeof create === "function" ? Reflect.apply(create, zlib, []) : undefined;
  if (!(made instanceof Duplex)) throw notCarriedOut("ZSTD");
  return made;
}
