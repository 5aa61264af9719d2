/**
 * The warehouses that the battery runs on: Postgres, the stand-in for Redshift, and a real Redshift when
 * `SLUICE_REDSHIFT_URL` names one (its user must be allowed to create a database; `SLUICE_BUCKET` and
 * AWS's variables say which bucket it can read and write).
 */
import { randomBytes } from "node:crypto";
import { Client } from "pg";
import { afterAll } from "vitest";
import type { Dialect } from "../../../src/core/stores.ts";
import { readSettings, required } from "../../../src/settings.ts";
import type { OpenedStores, StoreSettings } from "../../../src/stores/open-stores.ts";
import { RedshiftAddress } from "../../../src/stores/redshift/address.ts";
import { administer, opened } from "../../integration/data/data-stores.ts";
import { freshBucket, freshDatabase, freshRedshift } from "../../support/services.ts";

export interface WarehouseUnderTest {
  readonly name: string;
  readonly dialect: Dialect;
  /** A new, empty database with a bucket; the source is an own, empty Postgres. */
  readonly open: () => Promise<OpenedWarehouse>;
}

export interface OpenedWarehouse {
  readonly stores: OpenedStores;
  readonly settings: StoreSettings;
  /** Runs SQL in the warehouse as somebody else would. */
  readonly administer: (sql: string) => Promise<Record<string, unknown>[]>;
}

const real = process.env["SLUICE_REDSHIFT_URL"];

export const WAREHOUSES: readonly WarehouseUnderTest[] = [
  {
    name: "Postgres",
    dialect: "postgres",
    open: async () => {
      const url = await freshDatabase();
      return await openAt(url, await freshBucket(), (sql) => administer(url, sql));
    },
  },
  {
    name: "the stand-in for Redshift",
    dialect: "redshift",
    open: async () => {
      const { url } = await freshRedshift();
      return await openAt(url, await freshBucket(), (sql) => inRedshift(url, sql));
    },
  },
  ...(real === undefined
    ? []
    : [{ name: "a real Redshift", dialect: "redshift" as const, open: () => openReal(real) }]),
];

async function openAt(
  warehouseUrl: string,
  s3: StoreSettings["s3"],
  administer: OpenedWarehouse["administer"],
): Promise<OpenedWarehouse> {
  const settings = { sourceUrl: await freshDatabase(), warehouseUrl, s3 };
  return { settings, stores: opened(settings), administer };
}

const cleanups: (() => Promise<unknown>)[] = [];

afterAll(async () => {
  for (const cleanUp of cleanups.splice(0)) await cleanUp();
});

async function openReal(url: string): Promise<OpenedWarehouse> {
  const name = `sluice_test_${randomBytes(6).toString("hex")}`;
  await inRedshift(url, `CREATE DATABASE "${name}"`);
  cleanups.push(() => inRedshift(url, `DROP DATABASE "${name}"`));
  const own = new URL(url);
  own.pathname = `/${name}`;
  const settings = readSettings(process.env);
  const s3 = {
    bucket: required(settings, "SLUICE_BUCKET"),
    prefix: `sluice-test/${name}/`,
    region: settings.AWS_REGION,
  };
  return await openAt(own.href, s3, (sql) => inRedshift(own.href, sql));
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
