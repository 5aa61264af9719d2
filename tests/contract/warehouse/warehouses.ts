/** The warehouses that the battery runs on: Postgres, and the stand-in for Redshift or a real one. */
import type { Dialect } from "../../../src/core/stores.ts";
import type { OpenedStores, StoreSettings } from "../../../src/stores/open-stores.ts";
import { administer, opened } from "../../integration/data/data-stores.ts";
import { openRedshift, REDSHIFT } from "../../support/redshift.ts";
import { freshBucket, freshDatabase } from "../../support/services.ts";

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
    name: REDSHIFT,
    dialect: "redshift",
    open: async () => {
      const { url, s3, administer } = await openRedshift();
      return await openAt(url, s3, administer);
    },
  },
];

async function openAt(
  warehouseUrl: string,
  s3: StoreSettings["s3"],
  administer: OpenedWarehouse["administer"],
): Promise<OpenedWarehouse> {
  const settings = { sourceUrl: await freshDatabase(), warehouseUrl, s3 };
  return { settings, stores: opened(settings), administer };
}
