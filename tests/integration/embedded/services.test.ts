import { Redis } from "ioredis";
import { Client } from "pg";
import { expect, test } from "vitest";
import { freshDatabase, keyPrefix, redisUrl } from "../../support/services.ts";

test("Redis evicts nothing and keeps every write", async () => {
  const redis = new Redis(await redisUrl());
  const key = `${keyPrefix()}:key`;
  await redis.set(key, "value");
  expect(await redis.get(key)).toBe("value");
  expect(await redis.config("GET", "maxmemory-policy")).toEqual(["maxmemory-policy", "noeviction"]);
  expect(await redis.config("GET", "appendonly")).toEqual(["appendonly", "yes"]);
  await redis.quit();
});

test("each fresh database is empty and another one", async () => {
  const urls = await Promise.all([freshDatabase(), freshDatabase()]);
  expect(urls[0]).not.toBe(urls[1]);
  for (const connectionString of urls) {
    const client = new Client({ connectionString });
    await client.connect();
    const { rows } = await client.query(
      "SELECT count(*)::int AS tables FROM pg_tables WHERE schemaname = 'public'",
    );
    expect(rows).toEqual([{ tables: 0 }]);
    await client.end();
  }
});

test("text sorts by bytes, and case changes work beyond ASCII", async () => {
  const client = new Client({ connectionString: await freshDatabase() });
  await client.connect();
  const { rows } = await client.query("SELECT lower('ÄÉΣ') AS lower, 'Z' < 'a' AS bytewise");
  expect(rows).toEqual([{ lower: "äéσ", bytewise: true }]);
  await client.end();
});
