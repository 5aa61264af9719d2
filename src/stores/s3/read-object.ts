/**
 * The bytes of an object, to the last one. A body may break off hours into a load: reading goes on with
 * a Range from where it broke, under If-Match, so that bytes of two versions are never joined.
 */
import { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { PermanentError, SluiceError } from "../../core/errors.ts";
import { isConflict, isMissing } from "./errors.ts";

/** Breaks in a row without a single byte in between. */
const MAX_BREAKS = 5;

export async function* readObject(
  client: S3Client,
  where: { readonly Bucket: string; readonly Key: string },
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer, void, undefined> {
  let at = 0;
  let breaks = 0;
  let etag: string | undefined;
  let total: number | undefined;
  while (total === undefined || at < total) {
    try {
      const { Body, ETag, ContentLength } = await client.send(
        new GetObjectCommand({
          ...where,
          ...(etag === undefined ? {} : { IfMatch: etag, Range: `bytes=${at}-` }),
        }),
        signal === undefined ? {} : { abortSignal: signal },
      );
      etag ??= ETag;
      total ??= ContentLength ?? 0;
      if (!(Body instanceof Readable)) {
        throw new SluiceError("S3_ERROR", `${where.Key}: an answer without a body`);
      }
      for await (const chunk of Body) {
        const bytes: Buffer = chunk;
        at += bytes.byteLength;
        breaks = 0;
        yield bytes;
      }
      if (at < total) throw new SluiceError("S3_BODY_SHORT", `${where.Key}: the body ended early`);
    } catch (error) {
      if (isMissing(error)) throw error;
      if (isConflict(error) === "exists") {
        throw new PermanentError(
          "S3_OBJECT_CHANGED",
          `${where.Key} was replaced while it was read`,
          {
            cause: error,
          },
        );
      }
      if (signal?.aborted === true || etag === undefined || ++breaks > MAX_BREAKS) throw error;
      await pause(100 * 2 ** breaks, undefined, { signal });
    }
  }
}
