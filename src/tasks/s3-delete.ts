/**
 * Deletes objects from the bucket. `deleteFromS3` works inside any `run`; `S3Delete` is the family around
 * it. It never takes an empty prefix, and nothing that it deletes comes back.
 */
import { createHash } from "node:crypto";
import { defineTask } from "../core/define.ts";
import { UsageError } from "../core/errors.ts";
import { p } from "../core/params/p.ts";
import type { ObjectStore } from "../core/stores.ts";
import { FLAG_NAME } from "../targets/s3-flag.ts";
import { checkKey, checkPrefix } from "../targets/s3-key.ts";
import { s3Object } from "../targets/s3-object.ts";
import { keyParam, prefixParam } from "./s3-params.ts";

/** What S3 deletes with one request. */
const BATCH = 1000;

/**
 * Deletes everything below a prefix, or the objects of a list of keys; gives how many. What says that the
 * rest is there (manifests, flags) goes first: nobody takes half of it for the whole.
 */
export async function deleteFromS3(
  s3: ObjectStore,
  prefixOrKeys: string | readonly string[],
): Promise<number> {
  if (typeof prefixOrKeys !== "string") {
    for (const key of prefixOrKeys) checkKey(key, "S3Delete");
    await s3.delete(prefixOrKeys);
    return prefixOrKeys.length;
  }
  checkPrefix(prefixOrKeys, "S3Delete");
  return (await sweep(s3, prefixOrKeys, isProof)) + (await sweep(s3, prefixOrKeys, () => true));
}

function isProof(key: string): boolean {
  return key.endsWith("/manifest.json") || key.endsWith(`/${FLAG_NAME}`);
}

async function sweep(
  s3: ObjectStore,
  prefix: string,
  isDoomed: (key: string) => boolean,
): Promise<number> {
  let deleted = 0;
  let batch: string[] = [];
  const flush = async () => {
    await s3.delete(batch);
    deleted += batch.length;
    batch = [];
  };
  for await (const { key } of s3.list(prefix)) {
    if (isDoomed(key)) batch.push(key);
    if (batch.length === BATCH) await flush();
  }
  await flush();
  return deleted;
}

/**
 * Deletes what is below `prefix`, or the objects `keys`, then leaves a record of it below
 * `records/S3Delete/`, which is its output: a worker that copies needs no warehouse. An attempt that dies
 * half-way has deleted some, and the next one deletes the rest. `date` sets days apart.
 */
export const S3Delete = defineTask(
  {
    name: "S3Delete",
    params: {
      prefix: prefixParam().optional(),
      keys: p.list(keyParam()).optional(),
      date: p.date(),
    },
    output: ({ prefix, keys, date }) => {
      const hash = createHash("sha256")
        .update(JSON.stringify(doomed(prefix, keys)))
        .digest("hex");
      return s3Object(`records/S3Delete/${date}/${hash.slice(0, 16)}.json`);
    },
    queue: "copy",
  },
  async ({ params: { prefix, keys }, s3, output, task }) => {
    await output.confirmLease();
    const deleted = await deleteFromS3(s3, doomed(prefix, keys));
    await output.write(`${JSON.stringify({ task: task.name, prefix, keys, deleted })}\n`);
    return { deleted };
  },
);

function doomed(
  prefix: string | undefined,
  keys: readonly string[] = [],
): string | readonly string[] {
  if (prefix !== undefined && keys.length === 0) return prefix;
  if (prefix === undefined && keys.length > 0) return keys;
  throw new UsageError(
    "DELETE_AMBIGUOUS",
    `S3Delete: give a prefix, or a list of keys, ${prefix === undefined ? "got neither" : "not both"}`,
  );
}
