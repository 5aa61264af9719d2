/** The first tasks of one's own, as the README shows them. */
import { Client } from "pg";
import { expect, test } from "vitest";
import hello from "../../../examples/hello/sluice.config.ts";
import { openStores } from "../../../src/stores/open-stores.ts";
import { pipeline, statesOf } from "../../support/pipeline.ts";
import { freshBucket, freshDatabase } from "../../support/services.ts";

test("the sizes of a database's tables arrive in the warehouse, a day beside the other", async () => {
  const [sourceUrl, warehouseUrl] = await Promise.all([freshDatabase(), freshDatabase()]);
  const client = new Client({ connectionString: sourceUrl });
  await client.connect();
  await client.query("CREATE TABLE lamps AS SELECT n FROM generate_series(1, 10000) AS n");
  await client.end();
  const stores = openStores({ sourceUrl, warehouseUrl, s3: await freshBucket() });
  try {
    const line = await pipeline([...hello.families.values()], {}, stores);
    await line.work();
    for (const date of ["2026-11-20", "2026-11-21"]) {
      const states = statesOf(await line.run(hello.family("TableSizes").parse({ date })));
      expect(states).toEqual({
        [`DumpTableSizes(date=${date})`]: "complete",
        [`TableSizes(date=${date})`]: "complete",
      });
    }
    const sizes = `SELECT day::text, schema, name, bytes::int > 300000 AS large FROM ops.table_sizes ORDER BY day`;
    expect(await stores.warehouse.query(sizes)).toEqual([
      { day: "2026-11-20", schema: "public", name: "lamps", large: true },
      { day: "2026-11-21", schema: "public", name: "lamps", large: true },
    ]);
  } finally {
    await stores.close();
  }
});
