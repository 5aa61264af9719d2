/**
 * Writes a manifest for files that somebody else put into the bucket, in the form that Redshift's COPY
 * reads: exactly these files are loaded, and one that is missing is an error. `writeS3Manifest` works
 * inside any `run`; `S3Manifest` is the family around it.
 */
import { defineTask } from "../core/define.ts";
import { p } from "../core/params/p.ts";
import type { ObjectStore } from "../core/stores.ts";
import { type S3Object, s3Object } from "../targets/s3-object.ts";
import { type FileOptions, filesBelow } from "./s3-files.ts";
import { keyParam, prefixParam } from "./s3-params.ts";

/**
 * Lists the files below a prefix, as they are now, and writes their manifest once: a later attempt that
 * sees more files does not change it. Names that begin with `_` or `.` are left out.
 */
export async function writeS3Manifest(
  s3: ObjectStore,
  prefix: string,
  output: S3Object,
  options: FileOptions = {},
): Promise<{ readonly files: number; readonly bytes: number }> {
  const found = await filesBelow(s3, prefix, options);
  const files = found.filter(({ key }) => key !== output.key);
  const entries = files.map(({ key, bytes }) => ({
    url: s3.url(key),
    mandatory: true,
    // Redshift needs it for Parquet, and compares it otherwise.
    meta: { content_length: bytes },
  }));
  await output.write(`${JSON.stringify({ entries }, undefined, 2)}\n`);
  return { files: files.length, bytes: files.reduce((total, { bytes }) => total + bytes, 0) };
}

/** Writes `manifest` for the files below `prefix`, those that end with `suffix` if it is given. */
export const S3Manifest = defineTask(
  {
    name: "S3Manifest",
    params: { prefix: prefixParam(), manifest: keyParam(), suffix: p.text().optional() },
    output: ({ manifest }) => s3Object(manifest),
    queue: "copy",
  },
  ({ params: { prefix, suffix }, s3, output }) => writeS3Manifest(s3, prefix, output, { suffix }),
);
