/**
 * What a case left behind, held against the invariants. Each problem names the invariant that it
 * breaks, so that a sweep runs once and every invariant has a test of its own over all of it.
 */
import { readAttempts } from "../../src/queue/history/read-attempts.ts";
import type { Task } from "../../src/core/task.ts";
import { s3Dataset } from "../../src/targets/s3-dataset.ts";
import { sweepStaleUploads } from "../../src/targets/sweep-stale-uploads.ts";
import { illegalStep } from "../integration/history/legal-path.ts";
import { administer, keysOf } from "../integration/data/data-stores.ts";
import { datasetOf, Given, type Kind, LARGE_TABLE, SOURCE_TABLE, tableOf } from "./kinds.ts";
import type { Observer, Told } from "./one-case.ts";
import type { Services } from "./services.ts";

export interface Problem {
  readonly invariant: string;
  readonly what: string;
}

export interface Leavings {
  readonly kind: Kind;
  readonly id: string;
  readonly root: Task;
  readonly services: Services;
  readonly seen: Observer;
  readonly told: readonly Told[];
  /** Runs that began, by task id. */
  readonly started: readonly string[];
  /** A worker was killed: what it had open is the janitor's. */
  readonly killed: boolean;
}

export async function problemsOf(left: Leavings): Promise<Problem[]> {
  const found: Problem[] = [];
  const broken = (invariant: string, what: string) => void found.push({ invariant, what });
  await Promise.all([
    checkOutput(left, broken),
    checkSessions(left, broken),
    checkState(left, broken),
  ]);
  checkHooks(left, broken);
  return found;
}

type Broken = (invariant: string, what: string) => void;

async function checkOutput({ kind, id, services, killed }: Leavings, broken: Broken) {
  switch (kind) {
    case "dump":
      return checkDataset(services, id, SOURCE_TABLE, killed, broken);
    case "large dump":
      return checkDataset(services, id, LARGE_TABLE, killed, broken);
    case "load": {
      const [row] = await administer(
        services.databaseUrl,
        `SELECT (SELECT count(*) FROM ${tableOf(id)})::int AS rows,
                (SELECT count(*) FROM (TABLE ${tableOf(id)} EXCEPT ALL TABLE ${SOURCE_TABLE}) AS more)::int AS more`,
      );
      if (row?.["rows"] !== 300 || row["more"] !== 0) {
        broken("INV18", `${tableOf(id)} has other rows than the source: ${JSON.stringify(row)}`);
      }
      return;
    }
    case "sql":
    case "dynamic": {
      const rows = await administer(
        services.databaseUrl,
        `SELECT total::text FROM target.sums WHERE id = '${id}'`,
      );
      if (rows.length !== 1) broken("INV2", `${rows.length} commits instead of one`);
      if (kind === "dynamic" && rows[0]?.["total"] !== "6") {
        broken("INV18", `the sum is ${String(rows[0]?.["total"])}`);
      }
      return;
    }
    case "wrapper":
    case "external":
      return;
  }
}

async function checkDataset(
  { stores, databaseUrl }: Services,
  id: string,
  table: string,
  killed: boolean,
  broken: Broken,
) {
  const prefix = datasetOf(id);
  const { signal } = new AbortController();
  const keys = await keysOf(stores, prefix);
  const body = await stores.s3.read(`${prefix}manifest.json`);
  if (body === undefined) return broken("INV1", "complete, but there is no manifest");
  const { entries, dump }: { entries: { url: string }[]; dump: { attempt: string; rows: number } } =
    JSON.parse(body.toString());
  const parts = entries.map(({ url }) => url.slice(stores.s3.url("").length));
  if (!parts.every((part) => keys.includes(part))) broken("INV1", "a part is missing");
  if (!parts.every((part) => part.startsWith(`${prefix}attempt-${dump.attempt}/`))) {
    broken("INV1", "parts of several attempts");
  }
  const [source] = await administer(databaseUrl, `SELECT count(*)::int AS rows FROM ${table}`);
  const handle = s3Dataset(prefix).bind({ task: Given(), stores, signal });
  const manifest = await handle.manifest();
  let bytes = 0;
  for (const entry of manifest.entries) {
    // Fails unless size and checksum are the manifest's.
    for await (const chunk of handle.read(entry)) bytes += Buffer.byteLength(chunk);
  }
  if (dump.rows !== source?.["rows"] || bytes !== manifest.dump.raw_bytes) {
    broken("INV18", `${dump.rows} rows and ${bytes} bytes instead of the source's`);
  }
  const uploads: string[] = [];
  for await (const { key } of stores.s3.listUploads(prefix)) uploads.push(key);
  if (uploads.length > 0 && !killed) broken("INV17", `open uploads: ${uploads.join(", ")}`);
  // Whatever lies about is invisible, and known to be nobody's.
  await sweepStaleUploads(stores.s3, { prefix, olderThan: -60_000 });
  const rest = await keysOf(stores, prefix);
  if (rest.length !== parts.length + 1) broken("INV1", `not of the dataset: ${rest.join(", ")}`);
}

/** None may be left a moment after the attempt's end; a backend takes that moment to notice. */
async function checkSessions({ root, services }: Leavings, broken: Broken) {
  let open: Record<string, unknown>[] = [];
  for (let wait = 0; wait < 40; wait += 1) {
    open = await administer(
      services.databaseUrl,
      `SELECT state, query FROM pg_stat_activity WHERE application_name = '${root.id}'`,
    );
    if (open.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  broken("INV17", `open sessions: ${JSON.stringify(open)}`);
}

async function checkState({ root, seen, started }: Leavings, broken: Broken) {
  const { engine } = seen;
  const { keys, redis } = engine;
  const [record, lease, waiters] = await Promise.all([
    redis.hgetall(keys.done(root.id)),
    redis.hgetall(keys.attempt(root.id)),
    redis.exists(keys.waiters(root.id)),
  ]);
  if (record["name"] !== root.name) broken("INV7", "there is no record");
  if ("holder" in lease) broken("INV3", `a lease is held after the end: ${JSON.stringify(lease)}`);
  if (waiters > 0) broken("INV7", "somebody still waits for it");
  const attempts = await readAttempts(engine, root.id);
  const illegal = illegalStep(attempts);
  if (illegal !== undefined) broken("INV19", illegal);
  const ended = attempts.filter(({ outcome }) => outcome !== "blocked");
  if (ended.length > 3 + 3) broken("INV10", `${ended.length} attempts`);
  const runs = started.filter((id) => id === root.id).length;
  if (runs > 3 + 3 + 2) broken("INV10", `${runs} runs`);
}

function checkHooks({ told }: Leavings, broken: Broken) {
  const keys = told.map(({ task, attempt }) => `${task.id}#${attempt.id}`);
  const twice = keys.filter((key, index) => keys.indexOf(key) !== index);
  if (twice.length > 0) broken("INV8", `told twice: ${twice.join(", ")}`);
  const final = told.filter(({ event }) => event === "task:failed");
  for (const { error } of final) broken("INV6", `failed for good: ${error.message}`);
}
