/** Counting a day's rows means the same day that dumps and loads mean. */
import { Temporal } from "temporal-polyfill";
import { Client } from "pg";
import { expect, test } from "vitest";
import { openStores } from "../../../src/stores/open-stores.ts";
import { countRows } from "../../../src/tasks/count-rows.ts";
import { daySlice } from "../../../src/tasks/load-table.ts";
import { freshDatabase } from "../../support/services.ts";

test("a day is counted in UTC, whatever the server's zone, also when the read may be aborted", async () => {
  const url = await freshDatabase();
  const client = new Client(url);
  await client.connect();
  await client.query(
    `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET TimeZone = 'Asia/Tokyo'`,
  );
  await client.query("CREATE TABLE seen (at timestamptz)");
  await client.query(
    "INSERT INTO seen VALUES ('2026-11-20T23:59Z'), ('2026-11-21T00:00Z'), ('2026-11-21T23:59Z')",
  );
  await client.end();
  const stores = openStores({ sourceUrl: url });
  const slice = daySlice("at", Temporal.PlainDate.from("2026-11-21"));
  const { signal } = new AbortController();
  expect(await countRows(stores.source, "seen", { slice })).toBe(2);
  expect(await countRows(stores.source, "seen", { slice, signal })).toBe(2);
  await stores.close();
});
