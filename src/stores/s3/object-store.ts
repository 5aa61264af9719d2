/** S3 as the port sees it: one bucket, or what lies under one prefix of it. */
import { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  DeleteObjectsCommand,
  HeadObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  ListMultipartUploadsCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { SluiceError } from "../../core/errors.ts";
import type { Abort, ObjectInfo, ObjectStore, PutOptions, UploadInfo } from "../../core/stores.ts";
import type { S3Settings } from "./client.ts";
import { copyObject } from "./copy-object.ts";
import { explainS3Error, isConflict, isMissing } from "./errors.ts";
import { readObject } from "./read-object.ts";
import { uploadObject } from "./upload-object.ts";

const MAX_DELETES = 1000;

/** A rival conditional write is over within moments. */
const RIVAL_TRIES = 5;

export class S3ObjectStore implements ObjectStore {
  readonly bucket: string;
  readonly #prefix: string;
  readonly #client: S3Client;

  constructor(client: S3Client, settings: S3Settings) {
    this.bucket = settings.bucket;
    const prefix = (settings.prefix ?? "").replaceAll(/^\/+|\/+$/g, "");
    this.#prefix = prefix === "" ? "" : `${prefix}/`;
    this.#client = client;
  }

  url(key: string): string {
    return `s3://${this.bucket}/${this.#prefix}${key}`;
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    return await this.#unlessMissing(`look at ${key}`, async () => {
      const found = await this.#client.send(new HeadObjectCommand(this.#where(key)));
      return { key, bytes: found.ContentLength ?? 0, modified: found.LastModified ?? new Date(0) };
    });
  }

  async read(key: string, { signal }: Abort = {}): Promise<Buffer | undefined> {
    return await this.#unlessMissing(`reading ${key}`, async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of readObject(this.#client, this.#where(key), signal)) {
        chunks.push(chunk);
      }
      return Buffer.concat(chunks);
    });
  }

  stream(key: string, { signal }: Abort = {}): Readable {
    const explained = async function* (store: S3ObjectStore) {
      try {
        yield* readObject(store.#client, store.#where(key), signal);
      } catch (error) {
        signal?.throwIfAborted();
        throw explainS3Error(error, `reading ${key}`, store.bucket);
      }
    };
    return Readable.from(explained(this), { objectMode: false });
  }

  async put(
    key: string,
    body: Buffer | string,
    { ifAbsent = false, contentType, signal }: PutOptions = {},
  ): Promise<"written" | "exists"> {
    return await this.#explained(`writing ${key}`, async () => {
      for (let tries = 1; ; tries++) {
        try {
          await this.#client.send(
            new PutObjectCommand({
              ...this.#where(key),
              Body: body,
              ContentType: contentType,
              ...(ifAbsent ? { IfNoneMatch: "*" } : {}),
            }),
            signal === undefined ? {} : { abortSignal: signal },
          );
          return "written";
        } catch (error) {
          const conflict = ifAbsent ? isConflict(error) : undefined;
          if (conflict === "exists") return "exists";
          if (conflict === undefined || tries === RIVAL_TRIES) throw error;
        }
      }
    });
  }

  async upload(key: string, body: Readable, { signal }: Abort = {}): Promise<void> {
    // A body that fails has the upload aborted in S3 before this rejects.
    const abort = (): void => void body.destroy(reasonOf(signal));
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted === true) abort();
    try {
      await uploadObject(this.#client, this.#where(key), body, signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw explainS3Error(error, `upload of ${key}`, this.bucket);
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  async copy(from: string, to: string, { signal }: Abort = {}): Promise<boolean> {
    const copied = await this.#unlessMissing(`copying ${from} to ${to}`, async () => {
      await copyObject(this.#client, this.#where(from), this.#where(to), signal);
      return true;
    });
    return copied ?? false;
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    const pages = paginateListObjectsV2(
      { client: this.#client },
      { Bucket: this.bucket, Prefix: this.#prefix + prefix },
    );
    try {
      for await (const page of pages) {
        for (const { Key = "", Size = 0, LastModified = new Date(0) } of page.Contents ?? []) {
          yield { key: this.#relative(Key), bytes: Size, modified: LastModified };
        }
      }
    } catch (error) {
      throw explainS3Error(error, `listing ${prefix}`, this.bucket);
    }
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (let from = 0; from < keys.length; from += MAX_DELETES) {
      const some = keys.slice(from, from + MAX_DELETES);
      await this.#explained(`deleting ${some[0] ?? ""}`, async () => {
        const { Errors } = await this.#client.send(
          new DeleteObjectsCommand({
            Bucket: this.bucket,
            Delete: { Objects: some.map((key) => ({ Key: this.#prefix + key })), Quiet: true },
          }),
        );
        const [failed] = Errors ?? [];
        if (failed !== undefined) {
          throw new SluiceError(
            "S3_ERROR",
            `deleting ${failed.Key ?? ""} in bucket ${this.bucket}: S3 says ${failed.Code ?? ""}`,
          );
        }
      });
    }
  }

  async *listUploads(prefix: string): AsyncGenerator<UploadInfo> {
    let after: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {};
    while (after !== undefined) {
      const marker: { KeyMarker?: string; UploadIdMarker?: string } = after;
      const page = await this.#explained(`listing uploads of ${prefix}`, () =>
        this.#client.send(
          new ListMultipartUploadsCommand({
            Bucket: this.bucket,
            Prefix: this.#prefix + prefix,
            ...marker,
          }),
        ),
      );
      for (const { Key = "", UploadId = "", Initiated = new Date(0) } of page.Uploads ?? []) {
        yield { key: this.#relative(Key), uploadId: UploadId, started: Initiated };
      }
      const { IsTruncated, NextKeyMarker, NextUploadIdMarker } = page;
      after =
        IsTruncated === true && NextKeyMarker !== undefined && NextUploadIdMarker !== undefined
          ? { KeyMarker: NextKeyMarker, UploadIdMarker: NextUploadIdMarker }
          : undefined;
    }
  }

  async abortUpload({ key, uploadId }: UploadInfo): Promise<void> {
    await this.#unlessMissing(`aborting the upload of ${key}`, () =>
      this.#client.send(
        new AbortMultipartUploadCommand({ ...this.#where(key), UploadId: uploadId }),
      ),
    );
  }

  #where(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.bucket, Key: this.#prefix + key };
  }

  #relative(key: string): string {
    return key.slice(this.#prefix.length);
  }

  async #explained<T>(doing: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw explainS3Error(error, doing, this.bucket);
    }
  }

  async #unlessMissing<T>(doing: string, work: () => Promise<T>): Promise<T | undefined> {
    return await this.#explained(doing, async () => {
      try {
        return await work();
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    });
  }
}

function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new Error("aborted");
}
