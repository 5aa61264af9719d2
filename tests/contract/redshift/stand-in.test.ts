/** The stand-in as users start it in their own tests, by the package's export. */
import { Client } from "pg";
import { expect, it } from "vitest";
import { startRedshiftStandIn } from "sluice/redshift-stand-in";
import { freshBucket, freshDatabase } from "../../support/services.ts";

it("is started before a database, and stopped with all of its sessions", async () => {
  const redshift = await startRedshiftStandIn({
    postgresUrl: await freshDatabase(),
    s3: await freshBucket(),
  });
  expect(redshift.url).toMatch(/^redshift:\/\/postgres:test@127\.0\.0\.1:\d+\/test_/);
  const client = new Client({ connectionString: redshift.url });
  const ended = new Promise<void>((resolve) => {
    client.on("error", () => resolve()).on("end", () => resolve());
  });
  await client.connect();
  await client.query("CREATE TABLE t (v VARCHAR(MAX))");
  const running = client.query("SELECT pg_sleep(60)").catch(() => "ended");
  await redshift.stop();
  expect(await running).toBe("ended");
  await ended;
});
