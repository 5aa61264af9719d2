/** A warehouse of each dialect on the run's real services. */
import type { Dialect } from "../../../src/core/stores.ts";
import type { Attempt } from "../../../src/core/target.ts";
import type { Task } from "../../../src/core/task.ts";
import { taskContext } from "../../../src/queue/task-context.ts";
import type { OpenedStores, StoreSettings } from "../../../src/stores/open-stores.ts";
import { openRedshift } from "../../support/redshift.ts";
import { freshBucket, freshDatabase, freshRedshift } from "../../support/services.ts";
import { administer, attempt, opened } from "../data/data-stores.ts";

export interface Place {
  readonly dialect: Dialect;
  readonly stores: OpenedStores;
  readonly settings: StoreSettings;
  /** Runs SQL in the database itself, which for Redshift is the Postgres behind the stand-in. */
  readonly admin: (sql: string) => Promise<Record<string, unknown>[]>;
}

export const DIALECTS: readonly Dialect[] = ["postgres", "redshift"];

/** A new, empty warehouse, with a bucket of its own. Redshift is a cluster if one is given. */
export async function freshPlace(dialect: Dialect): Promise<Place> {
  if (dialect === "postgres") return await localPlace(dialect);
  const { url: warehouseUrl, s3, administer: own, postgresUrl } = await openRedshift();
  const settings = { warehouseUrl, s3 };
  const admin = (sql: string) =>
    postgresUrl === undefined ? own(sql) : administer(postgresUrl, sql);
  return { dialect, settings, stores: opened(settings), admin };
}

/** The same on this machine whatever is given: for looks at the wire, and at what is behind the stand-in. */
export async function localPlace(dialect: Dialect): Promise<Place> {
  const [s3, { url, postgresUrl }] = await Promise.all([
    freshBucket(),
    dialect === "redshift" ? freshRedshift() : onlyPostgres(),
  ]);
  const settings = { warehouseUrl: url, s3 };
  const admin = (sql: string) => administer(postgresUrl, sql);
  return { dialect, settings, stores: opened(settings), admin };
}

async function onlyPostgres() {
  const url = await freshDatabase();
  return { url, postgresUrl: url };
}

/** Runs a task once, as a worker does. */
export async function runTask(
  task: Task,
  stores: OpenedStores,
  by: Attempt = attempt(),
): Promise<unknown> {
  const { signal } = new AbortController();
  const context = taskContext({ task, stores, signal, attempt: by });
  // The getters of the context stay getters: most tasks here have no source.
  const running = Object.assign(context, { attempt: by, progress: () => {}, log: () => {} });
  return await task.family.run?.(running);
}

/** What `sluice sql` prints. */
export async function printed(task: Task, stores: OpenedStores): Promise<readonly string[]> {
  const { signal } = new AbortController();
  const statements = await task.family.sql?.(taskContext({ task, stores, signal }));
  if (statements === undefined) throw new Error(`${task.family.name} says no SQL`);
  return statements;
}
