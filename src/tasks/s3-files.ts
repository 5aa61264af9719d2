/**
 * The files below a prefix that somebody else has put there, as data: without flags and other hidden
 * files. Attempts of Sluice's own datasets are refused, because some of their parts may never have been
 * committed: only a dataset's manifest knows.
 */
import { PermanentError } from "../core/errors.ts";
import type { ObjectInfo, ObjectStore } from "../core/stores.ts";

export interface FileOptions {
  /** Only files whose key ends like this: `.csv.gz`. */
  readonly suffix?: string | undefined;
}

/** In the order of their keys. Throws when there are none. */
export async function filesBelow(
  s3: ObjectStore,
  prefix: string,
  { suffix = "" }: FileOptions = {},
): Promise<readonly ObjectInfo[]> {
  const files: ObjectInfo[] = [];
  for await (const file of s3.list(prefix)) {
    if (/\/attempt-[^/]+\//.test(`/${file.key.slice(prefix.length)}`)) throw isDataset(s3, prefix);
    if (!isHidden(file.key) && file.key.endsWith(suffix)) files.push(file);
  }
  if (files.length > 0) return files;
  throw new PermanentError(
    "PREFIX_EMPTY",
    `there are no files${suffix === "" ? "" : ` that end with ${JSON.stringify(suffix)}`} below ${s3.url(prefix)}. Correct the prefix, or wait for who writes them (WaitForS3).`,
  );
}

/** Hadoop's rule: names that begin with `_` or `.` are no data. Nor is the mark of an empty folder. */
function isHidden(key: string): boolean {
  return key.endsWith("/") || /\/[_.][^/]*$/.test(`/${key}`);
}

function isDataset(s3: ObjectStore, prefix: string): PermanentError {
  return new PermanentError(
    "PREFIX_IS_DATASET",
    `below ${s3.url(prefix)} is a dataset of Sluice, whose files are those that its own manifest names. Require the task that writes it, and use its output.`,
  );
}
