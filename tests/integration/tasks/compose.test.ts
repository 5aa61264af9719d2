/**
 * The families together, by an engine and its worker: what docs/tasks.md composes by `requires`, `yield*`,
 * `all`, a wrapper, `atomically` and `serially` does what the page says, in both dialects.
 */
import { Temporal } from "temporal-polyfill";
import { describe, expect, test } from "vitest";
import { BuildVisits, Housekeeping, Night } from "../../../examples/families/sluice.config.ts";
import type { Dialect } from "../../../src/core/stores.ts";
import { Analyze } from "../../../src/tasks/analyze.ts";
import { TableCopyToS3 } from "../../../src/tasks/copy-table-to-s3.ts";
import { LoadTable } from "../../../src/tasks/load-table.ts";
import { pipeline, statesOf } from "../../support/pipeline.ts";
import { freshDatabase } from "../../support/services.ts";
import { administer, opened } from "../data/data-stores.ts";
import { IS_CLUSTER } from "../../support/redshift.ts";
import { DIALECTS, freshPlace } from "./warehouses.ts";

const date = Temporal.PlainDate.from("2026-11-21");
const families = [Night, Housekeeping, BuildVisits, Analyze, LoadTable, TableCopyToS3];

/** A shop with clicks and orders, an empty warehouse, and a worker. */
async function nightly(dialect: Dialect, clicks: number) {
  const place = await freshPlace(dialect);
  const sourceUrl = await freshDatabase();
  await administer(
    sourceUrl,
    `CREATE SCHEMA shop;
     CREATE TABLE shop.orders (id integer);
     CREATE TABLE shop.clicks AS
       SELECT n AS id, date '2026-11-20' + n % 2 AS day FROM generate_series(1, ${clicks}) AS n`,
  );
  const stores = opened({ ...place.settings, sourceUrl });
  const engine = await pipeline(families, {}, stores);
  await engine.work();
  const visits = () =>
    stores.warehouse.query("SELECT day::varchar AS day, visits FROM mart.visits ORDER BY day");
  return { place, engine, stores, visits };
}

describe.each(DIALECTS)("%s", (dialect) => {
  test("a night is loaded, built, checked, granted and tidied, and then is complete", async () => {
    const { place, engine, visits } = await nightly(dialect, 5);
    const states = statesOf(await engine.run(Night({ date })));
    expect(new Set(Object.values(states))).toEqual(new Set(["complete"]));
    expect(Object.keys(states)).toContain("BuildVisits(date=2026-11-21)");
    expect(await visits()).toEqual([
      { day: "2026-11-20", visits: "2" },
      { day: "2026-11-21", visits: "3" },
    ]);
    expect(engine.errors).toEqual([]);
    // A cluster has no Postgres behind it, whose functions these are.
    if (dialect === "redshift" && IS_CLUSTER) return;
    const [seen] = await place.admin(
      `SELECT has_table_privilege('public', 'mart.visits', 'SELECT') AS granted,
              (SELECT count(*) FROM table_updates) AS markers`,
    );
    // BuildVisits, Housekeeping, and LoadTable and Analyze twice each.
    expect(seen).toEqual({ granted: true, markers: "6" });
  });

  test("a check that fails leaves nothing of the transaction that it is in", async () => {
    const { engine, stores } = await nightly(dialect, 0);
    const states = statesOf(await engine.run(BuildVisits({ date })));
    expect(states["BuildVisits(date=2026-11-21)"]).toBe("failed");
    expect(await stores.warehouse.describe("mart.visits")).toBeUndefined();
    expect(await stores.warehouse.describe("landing.clicks")).toBeDefined();
  });
});
