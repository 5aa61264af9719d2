/**
 * What a load reads: a dataset, or files that somebody else put into the bucket and that a manifest in
 * the form of Redshift's COPY lists. A prefix is never read: it matches whatever begins like it.
 */
import { pipeline, type Readable } from "node:stream";
import { z } from "zod";
import { messageOf, PermanentError } from "../core/errors.ts";
import type { Abort, Column, Dialect, FileFormat, Load, ObjectStore } from "../core/stores.ts";
import { createDecompressor } from "../targets/compression.ts";
import type { S3Dataset } from "../targets/s3-dataset.ts";
import type { S3Object } from "../targets/s3-object.ts";

/** Files of somebody else's, by their manifest. */
export interface S3Files {
  readonly s3: ObjectStore;
  readonly manifest: S3Object;
  readonly format: FileFormat;
  /** The columns in the files' order, by name. Default: those of the table. */
  readonly columns?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What is known of the files before they are read. */
export interface LoadSource extends Pick<Load, "format" | "manifest" | "files" | "rows"> {
  /** With their types, when those are known. */
  readonly columns: readonly Column[] | undefined;
  /** By name, when that is all that is known. */
  readonly names?: readonly string[] | undefined;
  /** For whose reader the text was written, when that is known. */
  readonly dialect: Dialect;
}

export async function openLoadSource(from: S3Dataset | S3Files): Promise<LoadSource> {
  return "manifestUrl" in from ? await fromDataset(from) : await fromFiles(from);
}

async function fromDataset(dataset: S3Dataset): Promise<LoadSource> {
  const { entries, dump } = await dataset.manifest();
  return {
    columns: dump.columns,
    dialect: dump.dialect,
    format: dump.format,
    rows: dump.rows,
    manifest: dataset.manifestUrl,
    files: entries.map((entry) => ({
      open: () => dataset.read(entry),
      from: entry.url,
      rows: entry.meta.rows,
    })),
  };
}

const manifestSchema = z.object({
  entries: z.array(z.object({ url: z.string(), mandatory: z.literal(true) })),
});

async function fromFiles({ s3, manifest, format, columns, signal }: S3Files): Promise<LoadSource> {
  const urls = manifestUrls((await manifest.read()).toString(), manifest.location);
  return {
    columns: undefined,
    names: columns,
    dialect: "postgres",
    format,
    rows: undefined,
    manifest: manifest.location,
    files: urls.map((url) => ({
      open: () => openFile(s3, url, format, signal === undefined ? {} : { signal }),
      from: url,
      rows: undefined,
    })),
  };
}

function manifestUrls(text: string, location: string): readonly string[] {
  try {
    return manifestSchema.parse(JSON.parse(text)).entries.map(({ url }) => url);
  } catch (error) {
    throw new PermanentError(
      "MANIFEST_INVALID",
      `${location} is not a manifest of COPY: it needs {"entries": [{"url": "s3://…", "mandatory": true}]}; without "mandatory", files that are missing would be passed over. ${error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error)}`,
      { cause: error },
    );
  }
}

function openFile(s3: ObjectStore, url: string, format: FileFormat, options: Abort): Readable {
  const base = s3.url("");
  if (!url.startsWith(base)) {
    throw new PermanentError(
      "FILE_ELSEWHERE",
      `${url} is not below ${base}, the only place that a load into Postgres reads. Copy it there first.`,
    );
  }
  const object = s3.stream(url.slice(base.length), options);
  if (format.type === "parquet" || format.compression === "none") return object;
  const bytes = createDecompressor(url);
  // The error of either destroys `bytes` with it: whoever reads it sees it.
  pipeline(object, bytes, () => {});
  return bytes;
}
