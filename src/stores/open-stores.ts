/**
 * Opens the stores of a process from settings. Nothing connects until it is used, and a store without
 * settings is an error only for a task that asks for it: a worker of the queue `sql` needs no source.
 */
import { UsageError } from "../core/errors.ts";
import type { Secret } from "../core/secret.ts";
import type { ObjectStore, Source, Stores, Warehouse } from "../core/stores.ts";
import { type DatabaseOptions, PostgresDatabase } from "./postgres/database.ts";
import { PostgresSource } from "./postgres/source.ts";
import { PostgresWarehouse } from "./postgres/warehouse.ts";
import { isRedshiftUrl } from "./redshift/address.ts";
import { RedshiftDatabase } from "./redshift/database.ts";
import { RedshiftWarehouse } from "./redshift/warehouse.ts";
import { createS3Client, type S3Settings } from "./s3/client.ts";
import { S3ObjectStore } from "./s3/object-store.ts";

export interface StoreSettings extends DatabaseOptions {
  readonly sourceUrl?: string | Secret | undefined;
  readonly warehouseUrl?: string | Secret | undefined;
  readonly s3?: S3Settings | undefined;
}

export interface OpenedStores extends Stores {
  /** Closes every connection. */
  close(): Promise<void>;
}

export function openStores(settings: StoreSettings): OpenedStores {
  const closers: (() => Promise<void>)[] = [];
  const { stallAfter } = settings;

  const database = (url: string | Secret, role: "source" | "warehouse"): PostgresDatabase => {
    const opened = new PostgresDatabase(url, role, { stallAfter });
    closers.push(() => opened.close());
    return opened;
  };

  const source = once((): Source => {
    const url = configured(settings.sourceUrl, "source", "SOURCE_URL");
    return new PostgresSource(database(url, "source"));
  });
  const warehouse = once((): Warehouse => {
    const url = configured(settings.warehouseUrl, "warehouse", "WAREHOUSE_URL");
    if (isRedshiftUrl(url)) {
      const opened = new RedshiftDatabase(url, { stallAfter });
      closers.push(() => opened.close());
      return new RedshiftWarehouse(opened);
    }
    return new PostgresWarehouse(database(url, "warehouse"));
  });
  const s3 = once((): ObjectStore => {
    const wanted = configured(settings.s3, "S3 bucket", "SLUICE_BUCKET");
    const client = createS3Client(wanted);
    closers.push(async () => client.destroy());
    return new S3ObjectStore(client, wanted);
  });

  return {
    get source() {
      return source();
    },
    get warehouse() {
      return warehouse();
    },
    get s3() {
      return s3();
    },
    async close() {
      await Promise.all(closers.splice(0).map((close) => close()));
    },
  };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function configured<T>(value: T | undefined, what: string, variable: string): T {
  if (value === undefined) {
    throw new UsageError("STORE_NOT_CONFIGURED", `no ${what} is configured: set ${variable}`);
  }
  return value;
}
