/** INV14: a canary in every secret, tasks that fail in every way, and then a look everywhere. */
import { inspect } from "node:util";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { startDashboard } from "../../dashboard/start-dashboard.ts";
import { defineTask, defineWrapper } from "../../src/core/define.ts";
import { p } from "../../src/core/params/p.ts";
import { Secret } from "../../src/core/secret.ts";
import { Webhook } from "../../src/hooks/webhook.ts";
import { recordHistory } from "../../src/queue/history/record-history.ts";
import { openStores } from "../../src/stores/open-stores.ts";
import { s3Dataset } from "../../src/targets/s3-dataset.ts";
import { startReceiver } from "../integration/hooks/receiver.ts";
import { pipeline } from "../support/pipeline.ts";
import { freshBucket, freshDatabase } from "../support/services.ts";

const CANARY = "c4n4ry";

/** What code and drivers throw, with the canary where they put secrets. */
const THROWN: readonly (() => unknown)[] = [
  () => new Error(`connect to postgres://app:${CANARY}@db:5432/shop failed`),
  () => new Error(`password=${CANARY} was refused`),
  () => new Error(`{"password": "${CANARY}"}`),
  () => new Error(`CREATE USER app PASSWORD '${CANARY}'`),
  () => `redis://:${CANARY}@cache:6379/0 is away`,
  () => new Error("outer", { cause: new Error(`sftp://me:${CANARY}@host/`) }),
  () => new AggregateError([new Error(`https://me:${CANARY}@host/`)]),
  () => ({ password: CANARY }),
  () => new Secret(CANARY),
  () => new Error(`aws_secret_access_key=${CANARY}`),
];

test("INV14 no secret is in Redis, in events, in what hooks send, or on the board", async () => {
  const [database, bucket, receiver] = await Promise.all([
    freshDatabase(),
    freshBucket(),
    startReceiver((response) => response.writeHead(500).end()),
  ]);
  const wrong = new URL(database);
  wrong.password = CANARY;
  const stores = openStores({
    sourceUrl: wrong.href,
    warehouseUrl: new Secret(wrong.href),
    s3: { ...bucket, secretAccessKey: CANARY },
  });
  const once = { retry: { attempts: 1 } } as const;
  const Throws = defineTask(
    { name: "Throws", params: { n: p.int({ min: 0, max: 1_000_000 }) }, ...once },
    ({ params, log }) => {
      log(`about to use postgres://app:${CANARY}@db/`);
      throw THROWN[params.n]?.();
    },
  );
  const Reads = defineTask({ name: "Reads", ...once }, ({ source }) => source.query("SELECT 1"));
  const Builds = defineTask({ name: "Builds", ...once }, ({ warehouse }) =>
    warehouse.query("SELECT 1"),
  );
  const Writes = defineTask({ name: "Writes", output: () => s3Dataset("a/"), ...once }, () => {});
  const Root = defineWrapper({
    name: "Root",
    requires: () => [...THROWN.keys()].map((n) => Throws({ n })),
  });
  const line = await pipeline([Throws, Reads, Builds, Writes, Root], {}, stores);
  const { engine, events } = line;
  const told: unknown[] = [];
  for (const name of ["task:started", "task:failed", "task:retrying"] as const) {
    events.on(name, (event) => void told.push(event));
  }
  const settings = {
    url: new Secret(`${receiver.address}/${CANARY}?token=${CANARY}`),
    environment: "test",
  };
  const webhook = new Webhook(settings, { hub: events, registry: new Registry() }, (error) =>
    told.push(inspect(error)),
  );
  const worker = { worker: "test", version: "test", onDropped: () => {} };
  const history = recordHistory(events, engine, worker);
  await line.work();
  for (const root of [Root(), Reads(), Builds()]) await line.run(root);
  // Asked for its output before it is enqueued.
  told.push(inspect(await line.run(Writes()).catch((error: unknown) => error)));
  await history.close(2_000);
  await webhook.close(0);
  await stores.close();

  const dashboard = await startDashboard({
    host: "127.0.0.1",
    port: 0,
    queues: line.project.queues.map((queue) => engine.queue(queue)),
    onError: (error) => told.push(inspect(error)),
  });
  const api = `${dashboard.address}/queues/api/queues`;
  const pages = await Promise.all(
    [
      `${api}?activeQueue=default&status=failed&page=1&jobsPerPage=50`,
      `${api}/default/${Throws({ n: 0 }).id}`,
      `${api}/default/${Throws({ n: 0 }).id}/logs`,
    ].map(async (address) => (await fetch(address)).text()),
  );
  await dashboard.close();

  const kept = await everythingIn(engine.redis, engine.keys.prefix);
  const seen = { kept, told: inspect(told, { depth: 9 }), pages: pages.join("\n") };
  expect(told.length).toBeGreaterThan(THROWN.length * 2);
  expect(kept).toContain("was refused");
  expect(pages.join("\n")).toContain("was refused");
  expect(receiver.received.length).toBeGreaterThan(0);
  const sent = JSON.stringify(receiver.received.map(({ body }) => body));
  for (const [where, text] of Object.entries({ ...seen, sent })) {
    const at = text.indexOf(CANARY);
    expect(at < 0 ? "" : `${where}: ${text.slice(Math.max(0, at - 120), at + 20)}`).toBe("");
  }
});

/** Every key under the prefix with its whole value, as text. */
async function everythingIn(
  redis: Awaited<ReturnType<typeof pipeline>>["engine"]["redis"],
  prefix: string,
): Promise<string> {
  const texts: string[] = [];
  for (const key of await redis.keys(`${prefix}*`)) {
    const dump = await redis.dumpBuffer(key);
    const type = await redis.type(key);
    const readable =
      type === "hash"
        ? await redis.hgetall(key)
        : type === "list"
          ? await redis.lrange(key, 0, -1)
          : type === "stream"
            ? await redis.xrange(key, "-", "+")
            : "";
    // A dump compresses long values, so they are read in their own way, too.
    texts.push(`${key} ${dump?.toString("latin1") ?? ""} ${JSON.stringify(readable)}`);
  }
  return texts.join("\n");
}
