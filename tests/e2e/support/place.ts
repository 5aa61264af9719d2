/**
 * Where a pipeline runs: the test's own database, bucket and key prefix on real servers, as variables
 * for commands, with ways to look at them from outside.
 */
import { Redis } from "ioredis";
import { Client } from "pg";
import type { ObjectStore } from "../../../src/core/stores.ts";
import { openStores } from "../../../src/stores/open-stores.ts";
import { freshBucket, freshDatabase, keyPrefix, redisUrl } from "../../support/services.ts";
import type { Environment } from "./command.ts";

export interface Place {
  readonly env: Environment;
  /** Runs SQL in the source database, as its owner would. */
  readonly source: Query;
  /** Runs SQL in the warehouse. */
  readonly warehouse: Query;
  readonly s3: ObjectStore;
  /** Keys of the objects in the bucket. */
  keys(prefix: string): Promise<string[]>;
  /** Names of all keys of this place in Redis. */
  redisKeys(): Promise<string[]>;
  /** Every key and every value, of this place and of everybody else, as one text. */
  redisDump(): Promise<string>;
}

type Row = Readonly<Record<string, unknown>>;
export type Query = (sql: string, values?: readonly unknown[]) => Promise<readonly Row[]>;

export async function freshPlace(): Promise<Place> {
  const [redis, source, warehouse, bucket] = await Promise.all([
    redisUrl(),
    freshDatabase(),
    freshDatabase(),
    freshBucket(),
  ]);
  const prefix = keyPrefix();
  const { s3 } = openStores({ s3: bucket });
  return {
    env: {
      REDIS_URL: redis,
      SLUICE_PREFIX: prefix,
      SOURCE_URL: source,
      WAREHOUSE_URL: warehouse,
      AWS_ENDPOINT_URL_S3: bucket.endpoint,
      AWS_REGION: bucket.region,
      AWS_ACCESS_KEY_ID: bucket.accessKeyId,
      AWS_SECRET_ACCESS_KEY: bucket.secretAccessKey,
      SLUICE_BUCKET: bucket.bucket,
      // Jobs of a worker that was killed are handed out again after so long.
      SLUICE_LOCK_DURATION: "2s",
      SLUICE_GRACE_PERIOD: "1s",
    },
    source: queryOn(source),
    warehouse: queryOn(warehouse),
    s3,
    async keys(prefix) {
      const keys: string[] = [];
      for await (const { key } of s3.list(prefix)) keys.push(key);
      return keys;
    },
    redisKeys: () => withRedis(redis, (client) => client.keys(`${prefix}*`)),
    redisDump: () => withRedis(redis, dump),
  };
}

/** The last statement's rows. */
function queryOn(url: string): Query {
  return async (sql, values) => {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      const result = await client.query<Row>(sql, values === undefined ? undefined : [...values]);
      return Array.isArray(result) ? (result.at(-1)?.rows ?? []) : result.rows;
    } finally {
      await client.end();
    }
  };
}

async function withRedis<T>(url: string, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url);
  try {
    return await use(client);
  } finally {
    await client.quit();
  }
}

/** By each type's own command, because `DUMP` compresses. */
async function dump(client: Redis): Promise<string> {
  const values = (await client.keys("*")).map(async (key) => {
    const type = await client.type(key);
    const read = READERS[type];
    if (read === undefined) throw new Error(`${key} is a ${type}: how is it read?`);
    return [key, await read(client, key)];
  });
  return JSON.stringify(await Promise.all(values));
}

const READERS: Readonly<Record<string, (client: Redis, key: string) => Promise<unknown>>> = {
  none: async () => null,
  string: (client, key) => client.get(key),
  hash: (client, key) => client.hgetall(key),
  list: (client, key) => client.lrange(key, 0, -1),
  set: (client, key) => client.smembers(key),
  zset: (client, key) => client.zrange(key, "0", "-1"),
  stream: (client, key) => client.xrange(key, "-", "+"),
};
