/**
 * Copies objects within the bucket, on the server. `copyInS3` works inside any `run`; `S3Copy` is the
 * family around it. Each object appears when it is whole; a prefix is whole when its flag is there.
 */
import { defineTask } from "../core/define.ts";
import { PermanentError, UsageError } from "../core/errors.ts";
import type { ObjectInfo, ObjectStore } from "../core/stores.ts";
import { s3Flag } from "../targets/s3-flag.ts";
import { isPrefix } from "../targets/s3-key.ts";
import { s3Object } from "../targets/s3-object.ts";
import { filesBelow } from "./s3-files.ts";
import { placeParam } from "./s3-params.ts";

export interface CopyInS3Options {
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((report: { readonly bytes: number }) => void) | undefined;
}

/** Requests under way at once: S3 answers a small copy in some 50 ms. */
const AT_ONCE = 8;

/**
 * Copies one object, or with two prefixes all files below the first to the same names below the second.
 * What is there already is replaced; what else is there stays.
 */
export async function copyInS3(
  s3: ObjectStore,
  from: string,
  to: string,
  { signal, progress }: CopyInS3Options = {},
): Promise<{ readonly files: number; readonly bytes: number }> {
  checkPlaces(from, to);
  const files = isPrefix(from) ? await filesBelow(s3, from) : [await theObject(s3, from)];
  let bytes = 0;
  for (let next = 0; next < files.length; next += AT_ONCE) {
    const copies = files.slice(next, next + AT_ONCE).map(async (file) => {
      const target = to + file.key.slice(from.length);
      const copied = await s3.copy(file.key, target, signal === undefined ? {} : { signal });
      if (!copied) throw missing(s3, file.key);
      bytes += file.bytes;
      progress?.({ bytes });
    });
    // All of them end, also when one fails: nothing is copied after the attempt is over.
    await Promise.allSettled(copies);
    await Promise.all(copies);
  }
  return { files: files.length, bytes };
}

async function theObject(s3: ObjectStore, key: string): Promise<ObjectInfo> {
  const found = await s3.head(key);
  if (found === undefined) throw missing(s3, key);
  return found;
}

function missing(s3: ObjectStore, key: string): PermanentError {
  return new PermanentError(
    "OBJECT_MISSING",
    `there is no object ${s3.url(key)} to copy. Correct the key, or wait for who writes it (WaitForS3).`,
  );
}

/** A copy into itself would never be whole: each run finds more. */
function checkPlaces(from: string, to: string): void {
  const both = `${JSON.stringify(from)} to ${JSON.stringify(to)}`;
  if (isPrefix(from) !== isPrefix(to)) {
    throw new UsageError(
      "COPY_MIXED",
      `S3Copy of ${both}: give two keys, or two prefixes, which end with a slash`,
    );
  }
  if (from === to || (isPrefix(from) && (to.startsWith(from) || from.startsWith(to)))) {
    throw new UsageError(
      "COPY_INTO_ITSELF",
      `S3Copy of ${both}: one is inside of the other. Copy to another place.`,
    );
  }
}

/**
 * Copies the object `from` to the key `to`. With two prefixes it copies all files, and then raises the
 * flag `_SUCCESS` below `to`. An attempt that dies half-way leaves no flag, and the next one copies again.
 */
export const S3Copy = defineTask(
  {
    name: "S3Copy",
    params: { from: placeParam(), to: placeParam() },
    output: ({ from, to }) => {
      checkPlaces(from, to);
      return isPrefix(to) ? s3Flag(to) : s3Object(to);
    },
    queue: "copy",
  },
  async ({ params: { from, to }, s3, output, signal, progress }) => {
    if ("confirmLease" in output) await output.confirmLease();
    const copied = await copyInS3(s3, from, to, { signal, progress });
    if ("raise" in output) await output.raise();
    return copied;
  },
);
