/**
 * What the server holds, in memory: buckets, objects and open multipart uploads. It changes only
 * by records, so that the log of records is the catalog; applying a record returns the blobs that
 * nothing refers to any more. It checks nothing: operations check before they write a record.
 */
import type { ChecksumAlgorithm, ChecksumType, Checksum, ObjectChecksum } from "./checksums.ts";
import { KeyOrder } from "./key-order.ts";

/** A file with bytes of an object. */
export interface Blob {
  readonly id: string;
  readonly size: number;
}

export interface StoredObject {
  readonly etag: string;
  readonly size: number;
  /** Milliseconds, whole seconds, as S3 keeps it. */
  readonly modified: number;
  /** Content-Type and the like, and `x-amz-meta-*`, as sent. */
  readonly headers: Readonly<Record<string, string>>;
  /** In order; one per part. */
  readonly blobs: readonly Blob[];
  readonly checksum?: ObjectChecksum;
}

export interface StoredPart {
  readonly etag: string;
  readonly modified: number;
  readonly blob: Blob;
  readonly checksum?: Checksum;
}

interface UploadStart {
  readonly bucket: string;
  readonly key: string;
  readonly initiated: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly checksum?: { readonly algorithm: ChecksumAlgorithm; readonly type: ChecksumType };
}

export interface Upload extends UploadStart {
  readonly id: string;
  readonly parts: Map<number, StoredPart>;
}

export interface Bucket {
  readonly name: string;
  readonly created: number;
  readonly objects: Map<string, StoredObject>;
  readonly order: KeyOrder;
}

/** One change. */
export type CatalogRecord =
  | { readonly op: "bucket"; readonly bucket: string; readonly created: number }
  | { readonly op: "drop"; readonly bucket: string }
  | {
      readonly op: "put";
      readonly bucket: string;
      readonly key: string;
      readonly object: StoredObject;
    }
  | { readonly op: "delete"; readonly bucket: string; readonly key: string }
  | { readonly op: "upload"; readonly id: string; readonly upload: UploadStart }
  | { readonly op: "part"; readonly id: string; readonly number: number; readonly part: StoredPart }
  | { readonly op: "abort"; readonly id: string }
  /** The object appears and its upload ends: one record, so that a crash leaves both or neither. */
  | { readonly op: "complete"; readonly id: string; readonly object: StoredObject };

export class Catalog {
  readonly buckets = new Map<string, Bucket>();
  readonly uploads = new Map<string, Upload>();

  /** Applies a record; returns the blobs it made garbage. */
  apply(record: CatalogRecord): readonly Blob[] {
    switch (record.op) {
      case "bucket": {
        const { bucket: name, created } = record;
        this.buckets.set(name, { name, created, objects: new Map(), order: new KeyOrder() });
        return [];
      }
      case "drop":
        return this.#drop(record.bucket);
      case "put":
        return this.#put(record.bucket, record.key, record.object);
      case "delete":
        return this.#delete(record.bucket, record.key);
      case "upload":
        this.uploads.set(record.id, { ...record.upload, id: record.id, parts: new Map() });
        return [];
      case "part": {
        const parts = this.uploads.get(record.id)?.parts;
        const replaced = parts?.get(record.number);
        parts?.set(record.number, record.part);
        return replaced === undefined ? [] : [replaced.blob];
      }
      case "abort":
        return this.#endUpload(record.id);
      case "complete":
        break;
    }
    return this.#complete(record.id, record.object);
  }

  /** The records that make this catalog from an empty one. */
  *records(): Generator<CatalogRecord> {
    for (const { name, created, objects, order } of this.buckets.values()) {
      yield { op: "bucket", bucket: name, created };
      for (const key of order.all()) {
        const object = objects.get(key);
        if (object !== undefined) yield { op: "put", bucket: name, key, object };
      }
    }
    for (const { id, parts, ...upload } of this.uploads.values()) {
      yield { op: "upload", id, upload };
      for (const [number, part] of parts) yield { op: "part", id, number, part };
    }
  }

  /** All blobs that something refers to. */
  *blobs(): Generator<Blob> {
    for (const { objects } of this.buckets.values()) {
      for (const object of objects.values()) yield* object.blobs;
    }
    for (const { parts } of this.uploads.values()) {
      for (const part of parts.values()) yield part.blob;
    }
  }

  #put(bucketName: string, key: string, object: StoredObject): readonly Blob[] {
    const bucket = this.buckets.get(bucketName);
    const replaced = bucket?.objects.get(key);
    if (replaced === undefined) bucket?.order.add(key);
    bucket?.objects.set(key, object);
    return replaced?.blobs ?? [];
  }

  #delete(bucketName: string, key: string): readonly Blob[] {
    const bucket = this.buckets.get(bucketName);
    const deleted = bucket?.objects.get(key);
    if (deleted === undefined) return [];
    bucket?.objects.delete(key);
    bucket?.order.remove(key);
    return deleted.blobs;
  }

  #complete(id: string, object: StoredObject): readonly Blob[] {
    const upload = this.uploads.get(id);
    if (upload === undefined) return [];
    const kept = new Set(object.blobs.map((blob) => blob.id));
    const unused = this.#endUpload(id).filter((blob) => !kept.has(blob.id));
    return [...unused, ...this.#put(upload.bucket, upload.key, object)];
  }

  #endUpload(id: string): readonly Blob[] {
    const upload = this.uploads.get(id);
    this.uploads.delete(id);
    return upload === undefined ? [] : [...upload.parts.values()].map((part) => part.blob);
  }

  #drop(bucketName: string): readonly Blob[] {
    this.buckets.delete(bucketName);
    const uploads = [...this.uploads.values()].filter((upload) => upload.bucket === bucketName);
    return uploads.flatMap((upload) => this.#endUpload(upload.id));
  }
}
