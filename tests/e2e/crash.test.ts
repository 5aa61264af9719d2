/** kill -9 of the worker that has the task: another one finishes the run, and nothing of the dead is left. */
import { beforeAll, expect, test } from "vitest";
import { sweepStaleUploads } from "../../src/targets/sweep-stale-uploads.ts";
import { startSluice } from "./support/command.ts";
import { freshPlace, type Place, type Query } from "./support/place.ts";
import { summaryOf } from "./support/summary.ts";
import { until } from "./support/until.ts";
import { logOf } from "./support/worker-log.ts";

const ROWS = 1_200_000;
const DATASET = "dumps/big/2026-11-21/";
const task = ["LoadBig", "--date", "2026-11-21"];

let place: Place;
beforeAll(async () => {
  place = await freshPlace();
  await place.source(
    `CREATE SCHEMA shop;
     CREATE TABLE shop.big AS
       SELECT n AS id, md5(n::text) || md5((-n)::text) AS words, nullif(n % 7, 0) AS maybe
       FROM generate_series(1, ${ROWS}) AS n`,
  );
});

const env = () => ({ ...place.env, SLUICE_CONFIG: "tests/e2e/pipelines/crash/sluice.config.ts" });
const startWorker = () => startSluice(["worker"], { env: env() });

/** Backends that work for a task, by the label of its session. */
async function backendsOf(query: Query, family: string): Promise<readonly unknown[]> {
  const rows = await query(
    "SELECT pid FROM pg_stat_activity WHERE application_name LIKE $1 AND datname = current_database()",
    [`${family}%`],
  );
  return rows.map(({ pid }) => pid);
}

const allGone = async (query: Query, family: string, pids: readonly unknown[]) => {
  const left = await backendsOf(query, family);
  return pids.every((pid) => !left.includes(pid));
};

async function openUploads(): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of place.s3.listUploads("")) keys.push(key);
  return keys;
}

/** The order of rows does not count, everything else does. */
const contents = "SELECT count(*)::int AS rows, sum(hashtextextended(t::text, 0))::text AS hash";

/** The attempts that objects and uploads belong to. */
function attemptsIn(keys: readonly string[]): readonly string[] {
  return [...new Set(keys.flatMap((key) => /attempt-([^/]+)\//.exec(key)?.[1] ?? []))];
}

test("killed in the middle of a dump, then another in the middle of the load", async () => {
  const first = startWorker();
  const run = startSluice(["run", ...task, "--json"], { env: env() });
  const [dead] = await until("the dump has written a file and opened an upload", async () => {
    const keys = await place.keys(DATASET);
    return keys.length > 0 && (await openUploads()).length > 0 && attemptsIn(keys);
  });
  const dumping = await backendsOf(place.source, "DumpBig");
  expect(dumping).toHaveLength(1);
  await first.end("SIGKILL");
  expect(await place.keys(`${DATASET}manifest.json`)).toEqual([]);
  await until("its backend is gone", () => allGone(place.source, "DumpBig", dumping), 5);

  const second = startWorker();
  const loading = await until("rows are on their way into the warehouse", async () => {
    const copies = await place.warehouse(
      "SELECT pid FROM pg_stat_progress_copy WHERE tuples_processed > 10000 AND datname = current_database()",
    );
    return copies.length > 0 && copies.map(({ pid }) => pid);
  });
  await second.end("SIGKILL");
  await until("its backend is gone", () => allGone(place.warehouse, "LoadBig", loading), 5);
  expect(await place.warehouse("SELECT to_regclass('landing.big') AS found")).toEqual([
    { found: null },
  ]);

  const third = startWorker();
  const ended = await run.ended;
  expect(ended.code).toBe(0);
  expect(summaryOf(ended)).toMatchObject({
    status: "done",
    tasks: { done: 2, ran: 2, failed: 0 },
    rows: 2 * ROWS,
  });
  expect(logOf(second).map(({ msg }) => msg)).toContain("task:succeeded");
  expect(logOf(third).map(({ msg }) => msg)).toContain("task:succeeded");

  const [source] = await place.source(`${contents} FROM shop.big t`);
  expect(source).toMatchObject({ rows: ROWS });
  expect(await place.warehouse(`${contents} FROM landing.big t`)).toEqual([source]);

  // One attempt's dataset, whole, and nothing of the dead one's.
  const manifest = JSON.parse(String(await place.s3.read(`${DATASET}manifest.json`)));
  const committed: string = manifest.dump.attempt;
  expect(committed).not.toBe(dead);
  const parts: string[] = manifest.entries.map(({ url }: { url: string }) => url);
  expect(attemptsIn(parts)).toEqual([committed]);
  const keys = (await place.keys("")).map((key) => place.s3.url(key));
  expect(keys.toSorted()).toEqual([...parts, place.s3.url(`${DATASET}manifest.json`)].toSorted());
  expect(await openUploads()).toEqual([]);
  expect(await backendsOf(place.source, "DumpBig")).toEqual([]);
  expect(await backendsOf(place.warehouse, "LoadBig")).toEqual([]);
});

test("what a killed attempt leaves, when nobody runs it again, is swept by its age", async () => {
  const next = ["DumpBig", "--date", "2026-11-22"];
  const worker = startWorker();
  startSluice(["run", ...next], { env: env() });
  await until("the dump has opened an upload", async () => (await openUploads()).length > 0);
  await worker.end("SIGKILL");
  expect(attemptsIn(await openUploads())).toHaveLength(1);

  const hour = 3_600_000;
  expect(await sweepStaleUploads(place.s3, { olderThan: hour })).toEqual({
    uploads: 0,
    objects: 0,
  });
  const swept = await sweepStaleUploads(place.s3, {
    olderThan: hour,
    now: new Date(Date.now() + 2 * hour),
  });
  expect(swept.uploads).toBeGreaterThan(0);
  expect(await openUploads()).toEqual([]);
  expect(await place.keys("dumps/big/2026-11-22/")).toEqual([]);
  expect(await place.keys(DATASET)).not.toEqual([]);
});
