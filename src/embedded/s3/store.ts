/**
 * The server's data: the catalog, its log and the blobs, kept in step. Look-ups answer S3's own
 * errors. Every change goes through `commit`, which is synchronous: what a caller checked in the
 * same turn still holds when it is written.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Blobs } from "./blobs.ts";
import type { Blob, Bucket, Catalog, CatalogRecord, StoredObject, Upload } from "./catalog.ts";
import { CatalogLog } from "./catalog-log.ts";
import { lockDir } from "./dir-lock.ts";
import { S3Error } from "./error.ts";

export class Store {
  readonly blobs: Blobs;
  readonly #catalog: Catalog;
  readonly #log: CatalogLog;
  readonly #unlock: () => void;

  private constructor(parts: {
    readonly catalog: Catalog;
    readonly log: CatalogLog;
    readonly blobs: Blobs;
    readonly unlock: () => void;
  }) {
    this.#catalog = parts.catalog;
    this.#log = parts.log;
    this.#unlock = parts.unlock;
    this.blobs = parts.blobs;
  }

  /** Opens the data of a folder, creating it if absent. */
  static async open(dir: string): Promise<Store> {
    await mkdir(dir, { recursive: true });
    const unlock = await lockDir(dir);
    try {
      const { log, catalog } = await CatalogLog.open(dir);
      const blobs = await Blobs.open(join(dir, "blobs"), catalog.blobs());
      return new Store({ catalog, log, blobs, unlock });
    } catch (error) {
      unlock();
      throw error;
    }
  }

  close(): void {
    this.#log.close();
    this.#unlock();
  }

  get buckets(): Iterable<Bucket> {
    return this.#catalog.buckets.values();
  }

  hasBucket(name: string): boolean {
    return this.#catalog.buckets.has(name);
  }

  /** The bucket, or NoSuchBucket. */
  bucket(name: string): Bucket {
    const bucket = this.#catalog.buckets.get(name);
    if (bucket !== undefined) return bucket;
    throw new S3Error("NoSuchBucket", "The specified bucket does not exist");
  }

  /** The object if it exists; NoSuchBucket if the bucket does not. */
  findObject(bucket: string, key: string): StoredObject | undefined {
    return this.bucket(bucket).objects.get(key);
  }

  /** The object, or NoSuchKey. */
  object(bucket: string, key: string): StoredObject {
    const object = this.findObject(bucket, key);
    if (object !== undefined) return object;
    throw new S3Error("NoSuchKey", "The specified key does not exist.");
  }

  /** The open upload of that bucket and key, or NoSuchUpload. */
  upload(bucket: string, key: string, id: string): Upload {
    this.bucket(bucket);
    const upload = this.#catalog.uploads.get(id);
    if (upload !== undefined && upload.bucket === bucket && upload.key === key) return upload;
    throw new S3Error(
      "NoSuchUpload",
      "The specified upload does not exist. The upload ID may be invalid, or the upload may have " +
        "been aborted or completed.",
    );
  }

  /** The open uploads of a bucket. */
  uploads(bucket: string): readonly Upload[] {
    this.bucket(bucket);
    return [...this.#catalog.uploads.values()].filter((upload) => upload.bucket === bucket);
  }

  /** Writes a change; when it returns, the change outlives the process. */
  commit(record: CatalogRecord): void {
    this.#log.append(record);
    this.#discard(this.#catalog.apply(record));
  }

  /** Runs the checks and the commit of a blob just written; if they throw, the blob is dropped. */
  adopt<T>(blob: Blob, commit: () => T): T {
    try {
      return commit();
    } catch (error) {
      this.#discard([blob]);
      throw error;
    }
  }

  #discard(blobs: readonly Blob[]): void {
    void this.blobs.drop(blobs);
  }
}
