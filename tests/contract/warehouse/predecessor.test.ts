/** What an attempt leaves at work when its machine is gone: its statement goes on, and would commit. */
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Marker } from "../../../src/core/stores.ts";
import { opened } from "../../integration/data/data-stores.ts";
import { proxied } from "../../support/proxied.ts";
import { IS_CLUSTER } from "../../support/redshift.ts";
import { WAREHOUSES } from "./warehouses.ts";

const AT_WORK = {
  postgres:
    "SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND state = 'active' AND pid <> pg_backend_pid() AND datname = current_database()",
  redshift:
    "SELECT session_id FROM sys_query_history WHERE query_text LIKE '%pg_sleep(60)%' AND status = 'running' AND session_id <> pg_backend_pid()",
} as const;

test.skipIf(IS_CLUSTER).each(WAREHOUSES)(
  "serially, on $name: a statement that outlived its attempt is ended before the next one writes",
  async ({ dialect, open }) => {
    const { administer, settings, stores } = await open();
    await administer("CREATE TABLE log (entry varchar(100))");
    const { proxy, url } = await proxied(String(settings.warehouseUrl));
    const gone = opened({ ...settings, warehouseUrl: url });
    const own: Marker = {
      updateId: "Outlived",
      table: "log",
      signal: new AbortController().signal,
      confirmLease: async () => {},
    };
    // Neither sees what the other one has not committed.
    const rebuild = (seconds: number) => [
      "DELETE FROM log",
      `INSERT INTO log SELECT 'row' FROM (SELECT pg_sleep(${seconds})) AS slow`,
    ];
    const first = gone.warehouse.serially(own, ...rebuild(60)).catch(() => "failed");
    await expect.poll(() => administer(AT_WORK[dialect])).toHaveLength(1);
    proxy.blackHole();
    expect(await stores.warehouse.serially(own, ...rebuild(0))).toEqual({
      rows: 1,
      already: false,
    });
    expect(await administer(AT_WORK[dialect])).toEqual([]);
    proxy.thaw();
    proxy.cutAll();
    expect(await Promise.race([first, pause(20_000)])).toBe("failed");
    expect(await administer("SELECT entry FROM log")).toHaveLength(1);
  },
);
