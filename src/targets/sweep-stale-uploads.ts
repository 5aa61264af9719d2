/**
 * Removes what dead attempts left in a bucket: multipart uploads that nobody will complete (they are
 * invisible and cost money), and parts of datasets that were never committed. A commit sweeps its own
 * dataset at once; this is for the rest, run now and then by the scheduler process.
 *
 * Age is all it knows of an attempt, so `olderThan` must be longer than any attempt lasts. If it is not,
 * nothing is corrupted: a commit looks at its parts first and fails when one is gone.
 */
import type { ObjectStore } from "../core/stores.ts";

export interface SweepOptions {
  /** Where to look, relative to the bucket; everywhere by default. */
  readonly prefix?: string;
  /** Milliseconds. */
  readonly olderThan: number;
  readonly now?: Date;
}

export interface Swept {
  readonly uploads: number;
  readonly objects: number;
}

interface Leavings {
  readonly dataset: string;
  readonly keys: string[];
  /** When the attempt last wrote. */
  last: number;
}

export async function sweepStaleUploads(s3: ObjectStore, options: SweepOptions): Promise<Swept> {
  const { prefix = "", olderThan, now = new Date() } = options;
  const limit = now.getTime() - olderThan;
  let uploads = 0;
  for await (const upload of s3.listUploads(prefix)) {
    if (upload.started.getTime() > limit) continue;
    await s3.abortUpload(upload);
    uploads++;
  }
  let objects = 0;
  for (const { dataset, keys, last } of await attemptsUnder(s3, prefix)) {
    if (last > limit || (await isCommitted(s3, dataset, keys))) continue;
    await s3.delete(keys);
    objects += keys.length;
  }
  return { uploads, objects };
}

async function attemptsUnder(s3: ObjectStore, prefix: string): Promise<readonly Leavings[]> {
  const attempts = new Map<string, Leavings>();
  for await (const { key, modified } of s3.list(prefix)) {
    const [attempt, dataset] = /^(.*\/)attempt-[^/]+\//.exec(key) ?? [];
    if (attempt === undefined || dataset === undefined) continue;
    const known = attempts.get(attempt) ?? { dataset, keys: [], last: 0 };
    known.keys.push(key);
    known.last = Math.max(known.last, modified.getTime());
    attempts.set(attempt, known);
  }
  return [...attempts.values()];
}

/** Text is enough: whatever the manifest looks like, a part that it names stays. */
async function isCommitted(
  s3: ObjectStore,
  dataset: string,
  keys: readonly string[],
): Promise<boolean> {
  const manifest = (await s3.read(`${dataset}manifest.json`))?.toString() ?? "";
  return keys.some((key) => manifest.includes(JSON.stringify(s3.url(key))));
}
