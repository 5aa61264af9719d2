/** Submits the two roots of the torture, again and again, until it is killed. */
import { setTimeout as sleep } from "node:timers/promises";
import { Engine } from "../../../../src/queue/engine.ts";
import { submit } from "../../../../src/queue/submit.ts";
import { familiesOn, NO_STORES, type Orders, projectOf } from "./families.ts";

const orders: Orders = JSON.parse(process.argv[2] ?? "");
const place = {
  engine: await Engine.open({ redisUrl: orders.engineUrl, prefix: orders.prefix }),
  project: projectOf(orders),
  stores: NO_STORES,
};
const { Torture } = familiesOn(orders);
process.stdout.write("ready\n");
for (;;) {
  const root = Torture({ half: Math.random() < 0.5 ? 0 : 1 });
  await submit(place, root, { signal: new AbortController().signal });
  await sleep(Math.random() * 50);
}
