/** Invalidates a dump, one of its loads and what is above, and is killed right before its n-th call to Redis, S3 or Postgres. */
import { z } from "zod";
import { Temporal } from "temporal-polyfill";
import { Engine } from "../../../../src/queue/engine.ts";
import { invalidate } from "../../../../src/queue/invalidate.ts";
import { openStores } from "../../../../src/stores/open-stores.ts";
import { Check, Dump, Load, Night, project } from "../night.ts";

const orders = z
  .object({
    redisUrl: z.string(),
    prefix: z.string(),
    stores: z.custom<Parameters<typeof openStores>[0]>(),
    crashAt: z.number(),
  })
  .parse(JSON.parse(process.argv[2] ?? ""));

let calls = 0;
/** Counts the calls of an object's methods, and dies before the one that was asked for. */
function deadly<T extends object>(port: T): T {
  return new Proxy(port, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      if (name === "url") return value.bind(target);
      return (...args: unknown[]): unknown => {
        calls += 1;
        if (calls === orders.crashAt) process.kill(process.pid, "SIGKILL");
        return Reflect.apply(value, target, args);
      };
    },
  });
}

const engine = await Engine.open(orders);
const stores = openStores(orders.stores);
const date = Temporal.PlainDate.from("2026-11-21");
const signal = AbortSignal.timeout(20_000);
const ports = { source: stores.source, warehouse: deadly(stores.warehouse), s3: deadly(stores.s3) };
const scripts = deadly(engine.scripts);
await invalidate(
  { engine: Object.create(engine, { scripts: { value: scripts } }), project, stores: ports },
  [Dump({ date }), Load({ table: "first", date }), Check({ date }), Night({ date })],
  { signal, who: "test", reason: "a crash", leaseDuration: 200 },
);
process.stdout.write(`${calls}\n`);
await Promise.all([engine.close(), stores.close()]);
