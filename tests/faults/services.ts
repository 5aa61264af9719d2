/** The services of a sweep: one database and one bucket, with the tables that its tasks read. */
import type { S3Settings } from "../../src/stores/s3/client.ts";
import { type OpenedStores, openStores, type StoreSettings } from "../../src/stores/open-stores.ts";
import { CREATE_MARKER_TABLE } from "../../src/sql/postgres/marker.ts";
import { s3Dataset } from "../../src/targets/s3-dataset.ts";
import { copyTableToS3 } from "../../src/tasks/copy-table-to-s3.ts";
import { administer, attempt } from "../integration/data/data-stores.ts";
import { freshBucket, freshDatabase, redisUrl } from "../support/services.ts";
import { GIVEN, Given, LARGE_TABLE, SOURCE_TABLE } from "./kinds.ts";

export interface Services {
  readonly redisUrl: string;
  readonly databaseUrl: string;
  readonly s3: S3Settings & { readonly endpoint: string };
  /** Not through any proxy. */
  readonly stores: OpenedStores;
  readonly settings: StoreSettings;
  close(): Promise<void>;
}

/** 300 rows that a careless CSV would damage. */
const SOURCE = `
  CREATE SCHEMA shop; CREATE SCHEMA target;
  CREATE TABLE ${SOURCE_TABLE} AS
    SELECT n AS id, n * 1.25 AS amount, nullif(repeat('x', n % 3), '') AS maybe,
           'a "quoted", ' || chr(10) || 'line ' || n AS words
    FROM generate_series(1, 300) AS n;
  CREATE TABLE ${LARGE_TABLE} AS
    SELECT n AS id, (SELECT string_agg(md5((n * 100 + m)::text), '') FROM generate_series(1, 60) AS m) AS noise
    FROM generate_series(1, 9000) AS n;
  CREATE TABLE target.sums (id text, total numeric);`;

export async function sweepServices(): Promise<Services> {
  const [databaseUrl, bucket, redis] = await Promise.all([
    freshDatabase(),
    freshBucket(),
    redisUrl(),
  ]);
  const { endpoint } = bucket;
  await administer(databaseUrl, SOURCE);
  const s3 = { ...bucket, endpoint };
  const settings = { sourceUrl: databaseUrl, warehouseUrl: databaseUrl, s3 };
  const stores = openStores(settings);
  const { signal } = new AbortController();
  // So that a clean run makes the same calls as the others.
  await administer(databaseUrl, CREATE_MARKER_TABLE);
  const given = s3Dataset(GIVEN).bind({ task: Given(), stores, signal, attempt: attempt() });
  await copyTableToS3(stores.source, SOURCE_TABLE, given);
  return { redisUrl: redis, databaseUrl, s3, stores, settings, close: () => stores.close() };
}
