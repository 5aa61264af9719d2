/** Stores on the run's real Postgres and S3, and attempts of tasks on them, for tests of the data path. */
import { randomUUID } from "node:crypto";
import { Client } from "pg";
import type { Attempt, HandlesOf, Outputs } from "../../../src/core/target.ts";
import { bindOutputs } from "../../../src/core/target.ts";
import type { Stores } from "../../../src/core/stores.ts";
import { isTask, type Task } from "../../../src/core/task.ts";
import {
  type OpenedStores,
  openStores,
  type StoreSettings,
} from "../../../src/stores/open-stores.ts";
import { afterEveryFile } from "../../support/closing.ts";
import { freshBucket, freshDatabase } from "../../support/services.ts";

/** Source and warehouse in one database, so that SQL can compare them; tables go to schemas. */
export async function freshStores(
  change: (settings: StoreSettings) => StoreSettings = (settings) => settings,
): Promise<{ url: string; stores: OpenedStores; settings: StoreSettings }> {
  const url = await freshDatabase();
  const settings = change({ sourceUrl: url, warehouseUrl: url, s3: await freshBucket() });
  return { url, settings, stores: opened(settings) };
}

const openedStores: OpenedStores[] = [];

afterEveryFile("clients", async () => {
  await Promise.all(openedStores.splice(0).map((stores) => stores.close()));
});

/** Opens stores that close after the file. */
export function opened(settings: StoreSettings): OpenedStores {
  const stores = openStores(settings);
  openedStores.push(stores);
  return stores;
}

/** Runs SQL as an administrator of the database would. */
export async function administer(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const result = await client.query(sql);
    return Array.isArray(result) ? (result.at(-1)?.rows ?? []) : result.rows;
  } finally {
    await client.end();
  }
}

export function attempt(overrides: Partial<Attempt> = {}): Attempt {
  return { id: randomUUID(), number: 1, confirmLease: async () => {}, ...overrides };
}

/** The outputs of a task as its running attempt has them; without `attempt`, as others do. */
export function outputsOf<O extends Outputs>(
  task: Task<unknown, O>,
  stores: Stores,
  options: { attempt?: Attempt; signal?: AbortSignal } = {},
): HandlesOf<O> {
  const signal = options.signal ?? new AbortController().signal;
  return bindOutputs(task.outputs, { task, stores, signal, ...options });
}

/** Runs a task once, as a worker does. */
export async function runTask(
  task: Task,
  stores: Stores,
  options: { attempt?: Attempt; signal?: AbortSignal } = {},
): Promise<unknown> {
  const signal = options.signal ?? new AbortController().signal;
  const running = options.attempt ?? attempt();
  const requirement = task.family.requirementsOf(task);
  const input = isTask(requirement)
    ? bindOutputs(requirement.outputs, { task: requirement, stores, signal })
    : undefined;
  return await task.family.run?.({
    task,
    params: task.params,
    input,
    output: bindOutputs(task.outputs, { task, stores, signal, attempt: running }),
    source: stores.source,
    warehouse: stores.warehouse,
    s3: stores.s3,
    attempt: running,
    signal,
    progress: () => {},
    log: () => {},
  });
}

/** Keys under a prefix. */
export async function keysOf(stores: Stores, prefix = ""): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of stores.s3.list(prefix)) keys.push(key);
  return keys;
}

export async function openUploads(stores: Stores): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of stores.s3.listUploads("")) keys.push(key);
  return keys;
}
