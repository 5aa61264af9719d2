/** Statements whose connection dies without a word: noticed, ended, and never confused with slow ones. */
import { describe, expect, test } from "vitest";
import { defineTask } from "../../../src/core/define.ts";
import { tableMarker } from "../../../src/targets/table-marker.ts";
import { proxied } from "../../support/proxied.ts";
import { DIALECTS, localPlace } from "../tasks/warehouses.ts";
import { attempt, opened, outputsOf } from "./data-stores.ts";

const Build = defineTask({ name: "Build", output: () => tableMarker("built") }, () => {});
const { signal } = new AbortController();

describe.each(DIALECTS)("%s", (dialect) => {
  /** Stores behind a proxy, impatient ones. */
  async function behindProxy() {
    const { settings, admin } = await localPlace(dialect);
    const { proxy, url } = await proxied(String(settings.warehouseUrl));
    const frozen = opened({ ...settings, warehouseUrl: url, stallAfter: 200 });
    const output = outputsOf(Build(), frozen, { attempt: attempt() });
    const backend = async (text: string) => {
      const find = `SELECT pid FROM pg_stat_activity WHERE query LIKE '%${text}%' AND pid <> pg_backend_pid() AND state = 'active'`;
      await expect.poll(() => admin(find)).toHaveLength(1);
      return Number((await admin(find))[0]?.["pid"]);
    };
    return { admin, frozen, proxy, output, backend };
  }

  test("a statement that ended on the server, and whose answer is lost, fails and may be retried", async () => {
    const { admin, frozen, proxy, output, backend } = await behindProxy();
    const building = frozen.warehouse.atomically(output, "SELECT pg_sleep(0.7) AS answer");
    building.catch(() => {});
    const pid = await backend("AS answer");
    proxy.freeze();
    await expect(building).rejects.toMatchObject({ code: "STATEMENT_STALLED", retryable: true });
    expect(await admin(`SELECT 1 FROM pg_stat_activity WHERE pid = ${pid}`)).toEqual([]);
  });

  test("a statement whose backend is gone, and nobody said so, fails", async () => {
    const { admin, frozen, proxy, output, backend } = await behindProxy();
    const building = frozen.warehouse.atomically(output, "SELECT pg_sleep(60) AS gone");
    building.catch(() => {});
    const pid = await backend("AS gone");
    proxy.freeze();
    await admin(`SELECT pg_terminate_backend(${pid})`);
    await expect(building).rejects.toMatchObject({ code: "STATEMENT_STALLED" });
  });

  test("the answer to COMMIT is lost in silence: the marker says that it happened", async () => {
    const { frozen, proxy, output } = await behindProxy();
    let silent: unknown;
    proxy.rules = {
      onClient: (bytes, link) => {
        if (bytes.includes("COMMIT\0")) silent = link;
      },
      onServer: (_bytes, link) => link !== silent,
    };
    const steps = ["CREATE TABLE built AS SELECT 1 AS n", "SELECT pg_sleep(0.1)"];
    expect(await frozen.warehouse.atomically(output, ...steps)).toMatchObject({ already: false });
    expect(await output.exists()).toBe(true);
  });

  test("a look over a shared connection that died in silence fails, and the next has another one", async () => {
    const { proxy, output } = await behindProxy();
    expect(await output.exists()).toBe(false);
    proxy.freeze();
    await expect(output.exists()).rejects.toMatchObject({ code: "STATEMENT_STALLED" });
    expect(await output.exists()).toBe(false);
  });

  test("a statement that is merely slow goes on, however often it is looked into", async () => {
    const { frozen } = await behindProxy();
    const slow = frozen.warehouse.query("SELECT 1 AS done FROM (SELECT pg_sleep(1)) AS s", [], {
      signal,
    });
    expect(await slow).toEqual([{ done: 1 }]);
  });
});
