/**
 * A dataset in S3: parts and a manifest under one prefix. It exists when its manifest does. Parts are
 * written under a prefix that only one attempt uses, so no attempt can damage another's, and a reader
 * never meets a half-written dataset.
 */
import { createHash } from "node:crypto";
import { pipeline, type Readable, Transform } from "node:stream";
import { PermanentError, SluiceError } from "../core/errors.ts";
import type { Abort, ObjectStore } from "../core/stores.ts";
import type { Binding, Target, TargetHandle } from "../core/target.ts";
import { createDecompressor } from "./compression.ts";
import { DatasetWriter } from "./dataset-writer.ts";
import { type Manifest, type ManifestEntry, readManifest } from "./manifest.ts";
import { checkPrefix } from "./s3-key.ts";

export interface S3Dataset extends TargetHandle {
  /** `s3://bucket/prefix/manifest.json`. */
  readonly manifestUrl: string;
  /** Throws `DATASET_MISSING` when the dataset is not there. */
  manifest(): Promise<Manifest>;
  /** The rows of one entry, decompressed. It fails unless size and checksum are the manifest's. */
  read(entry: ManifestEntry, options?: Abort): Readable;
  /** Writes the dataset. Only a running attempt may. */
  writer(): DatasetWriter;
}

/**
 * A dataset under a prefix of the bucket, for example `dumps/orders/2026-11-21/`.
 *
 * ```ts
 * output: ({ table, date }) => s3Dataset(`dumps/${table}/${date}/`),
 * ```
 */
export function s3Dataset(prefix: string): Target<S3Dataset> {
  checkPrefix(prefix, "s3Dataset");
  return {
    kind: "s3-dataset",
    bind: (binding) => bindDataset(prefix, binding),
  };
}

function bindDataset(prefix: string, { stores, task, attempt, signal }: Binding): S3Dataset {
  const manifestKey = `${prefix}manifest.json`;
  const handle: S3Dataset = {
    get location() {
      return stores.s3.url(prefix);
    },
    get manifestUrl() {
      return stores.s3.url(manifestKey);
    },
    async exists() {
      return (await stores.s3.head(manifestKey)) !== undefined;
    },
    async remove() {
      const body = await stores.s3.read(manifestKey, { signal });
      if (body === undefined) return;
      // The proof first. Parts of attempts that did not commit are not touched: one may be at it.
      await stores.s3.delete([manifestKey]);
      await stores.s3.delete(partsNamedIn(body.toString(), stores.s3.url(prefix), prefix));
    },
    async manifest() {
      const body = await stores.s3.read(manifestKey, { signal });
      if (body === undefined) {
        throw new SluiceError(
          "DATASET_MISSING",
          `there is no dataset at ${handle.location}: it has no manifest. Run the task that writes it.`,
        );
      }
      return readManifest(body.toString(), stores.s3.url(manifestKey));
    },
    read(entry, options = { signal }) {
      return readEntry(stores.s3, prefix, entry, options);
    },
    writer() {
      if (attempt === undefined) {
        throw new PermanentError(
          "NOT_IN_ATTEMPT",
          `${handle.location} can only be written by the running attempt of its task`,
        );
      }
      return new DatasetWriter({ s3: stores.s3, prefix, taskId: task.id, attempt, signal });
    },
  };
  return handle;
}

/** None for a manifest that cannot be read: `sweepStaleUploads` comes by. */
function partsNamedIn(text: string, base: string, prefix: string): string[] {
  try {
    const { entries } = readManifest(text, base);
    return entries
      .filter(({ url }) => url.startsWith(`${base}attempt-`))
      .map(({ url }) => prefix + url.slice(base.length));
  } catch {
    return [];
  }
}

function readEntry(
  s3: ObjectStore,
  prefix: string,
  entry: ManifestEntry,
  options: Abort,
): Readable {
  const base = s3.url(prefix);
  if (!entry.url.startsWith(base)) {
    throw new PermanentError(
      "MANIFEST_INVALID",
      `the manifest of ${base} names ${entry.url}, which is not in the dataset`,
    );
  }
  const bytes = createDecompressor(entry.url);
  const object = s3.stream(prefix + entry.url.slice(base.length), options);
  // The error of any part destroys `bytes` with it: whoever reads it sees it.
  pipeline(object, proveObject(entry), bytes, () => {});
  return bytes;
}

/** Passes the object on, and fails at its end unless it is the one that was written. */
function proveObject({ url, meta }: ManifestEntry): Transform {
  const hash = createHash("sha256");
  let length = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      length += chunk.length;
      done(null, chunk);
    },
    flush(done) {
      const digest = hash.digest("hex");
      const same = length === meta.content_length && digest === (meta.sha256 ?? digest);
      done(
        same
          ? null
          : new PermanentError(
              "DATASET_CORRUPT",
              `${url} is not what was written: ${length} bytes with another checksum, the manifest says ${meta.content_length}. Delete the manifest and dump again.`,
            ),
      );
    },
  });
}
