/**
 * A Redshift for a test file: the stand-in, or the cluster that `SLUICE_REDSHIFT_URL` names. Its user must
 * be allowed to create a database; `SLUICE_BUCKET` and AWS's variables say which bucket it can read and
 * write. What a file leaves there is dropped after it.
 */
import { randomBytes } from "node:crypto";
import { Client } from "pg";
import { vi } from "vitest";
import { readSettings, required } from "../../src/settings.ts";
import { RedshiftAddress } from "../../src/stores/redshift/address.ts";
import type { StoreSettings } from "../../src/stores/open-stores.ts";
import { disposeLast, freshBucket, freshRedshift } from "./services.ts";

export interface RedshiftUnderTest {
  /** Of a new, empty database. */
  readonly url: string;
  /** A bucket that it reaches. */
  readonly s3: StoreSettings["s3"];
  /** Runs SQL as somebody else would; gives the last statement's rows. */
  readonly administer: (sql: string) => Promise<Record<string, unknown>[]>;
  /** Of the Postgres behind the stand-in; a cluster has none. */
  readonly postgresUrl: string | undefined;
}

const cluster = process.env["SLUICE_REDSHIFT_URL"];

/** What runs are named after. */
export const REDSHIFT = cluster === undefined ? "the stand-in for Redshift" : "a real Redshift";

/** Whether tests that need the Postgres behind the stand-in have to be passed over. */
export const IS_CLUSTER = cluster !== undefined;

export async function openRedshift(): Promise<RedshiftUnderTest> {
  if (cluster !== undefined) return await openCluster(cluster);
  const { url, postgresUrl } = await freshRedshift();
  const administer = (sql: string) => inRedshift(url, sql);
  return { url, s3: await freshBucket(), administer, postgresUrl };
}

async function openCluster(url: string): Promise<RedshiftUnderTest> {
  const name = `sluice_test_${randomBytes(6).toString("hex")}`;
  await inRedshift(url, `CREATE DATABASE "${name}"`);
  // A closed session takes a moment to vanish, and one that stays was leaked.
  disposeLast(async () => {
    await vi.waitUntil(() => dropped(url, name), { timeout: 10_000, interval: 500 });
  });
  const own = new URL(url);
  own.pathname = `/${name}`;
  const settings = readSettings(process.env);
  const s3 = {
    bucket: required(settings, "SLUICE_BUCKET"),
    prefix: `sluice-test/${name}/`,
    region: settings.AWS_REGION,
    // Only to try the wiring, with a stand-in that somebody started.
    endpoint: settings.AWS_ENDPOINT_URL_S3,
    accessKeyId: settings.AWS_ENDPOINT_URL_S3 && settings.AWS_ACCESS_KEY_ID,
    secretAccessKey: settings.AWS_ENDPOINT_URL_S3 && settings.AWS_SECRET_ACCESS_KEY,
  };
  const administer = (sql: string) => inRedshift(own.href, sql);
  return { url: own.href, s3, administer, postgresUrl: undefined };
}

async function dropped(url: string, name: string): Promise<boolean> {
  try {
    await inRedshift(url, `DROP DATABASE "${name}"`);
    return true;
  } catch (error) {
    if (!/being accessed by other users/.test(String(error))) throw error;
    return false;
  }
}

async function inRedshift(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client(RedshiftAddress.parse(url, "test").connection("administrator"));
  await client.connect();
  try {
    const result = await client.query(sql);
    return Array.isArray(result) ? (result.at(-1)?.rows ?? []) : result.rows;
  } finally {
    await client.end();
  }
}
