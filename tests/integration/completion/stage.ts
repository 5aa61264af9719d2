/** The night's pipeline on fresh stores, with what ran and what is in them. */
import { Temporal } from "temporal-polyfill";
import type { Task } from "../../../src/core/task.ts";
import { submit } from "../../../src/queue/submit.ts";
import { type Watched, watch } from "../../../src/queue/watch.ts";
import type { StoreSettings } from "../../../src/stores/open-stores.ts";
import { type Pipeline, pipeline } from "../../support/pipeline.ts";
import { administer, freshStores, keysOf } from "../data/data-stores.ts";
import { CREATE_TABLES, families } from "./night.ts";

export const date = Temporal.PlainDate.from("2026-11-21");

export interface Stage extends Pipeline {
  readonly url: string;
  readonly storeSettings: StoreSettings;
  /** The names of the tasks whose `run` was called since the last look, sorted. */
  ran(): string[];
  verify(root: Task): Promise<Watched>;
  /** Runs SQL in the database. */
  sql(text: string): Promise<Record<string, unknown>[]>;
  /** Values in the loaded tables. */
  values(): Promise<unknown[]>;
  manifests(): Promise<string[]>;
}

export async function stage(redisUrl?: string): Promise<Stage> {
  const { url, stores, settings } = await freshStores();
  const sql = (text: string) => administer(url, text);
  await sql(CREATE_TABLES);
  const line = await pipeline(families, { leaseDuration: 2_000 }, stores, redisUrl);
  let names: string[] = [];
  line.events.on("task:started", ({ task }) => void names.push(task.name));
  return {
    ...line,
    url,
    storeSettings: settings,
    sql,
    ran() {
      const sorted = names.sort();
      names = [];
      return sorted.map((name) => name.replace(/date=[-\d]+/, "").replace(/, \)/, ")"));
    },
    run: (root) => settle(line, root, false),
    verify: (root) => settle(line, root, true),
    async values() {
      const rows = await sql(
        "SELECT 'first' AS name, value FROM first UNION ALL SELECT 'second', value FROM second",
      );
      return rows.map(({ value }) => value);
    },
    manifests: async () => (await keysOf(stores)).filter((key) => key.endsWith("manifest.json")),
  };
}

async function settle(line: Pipeline, root: Task, verify: boolean): Promise<Watched> {
  const signal = AbortSignal.timeout(30_000);
  const plan = await submit(line, root, { signal, verify });
  let last: Watched = new Map();
  for await (const watched of watch(line, plan, { signal, interval: 20 })) last = watched;
  return last;
}

export const ALL_RAN = ["Check()", "Dump()", "Load(table=first)", "Load(table=second)"];
