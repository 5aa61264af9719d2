/** A scheduler process, stopped by SIGTERM. */
import { Engine } from "../../../../src/queue/engine.ts";
import { startScheduler } from "../../../../src/queue/scheduler.ts";
import { familiesOn, NO_STORES, type Orders, projectOf } from "./families.ts";

const orders: Orders = JSON.parse(process.argv[2] ?? "");
const { ledger } = familiesOn(orders);
const engine = await Engine.open({ redisUrl: orders.engineUrl, prefix: orders.prefix });
const scheduler = await startScheduler(
  { engine, project: projectOf(orders), stores: NO_STORES },
  {
    onTick: (_, plan) => void ledger.add(`ticks-${plan.root.texts["date"]}`),
    onError: (error) => process.stderr.write(`${error.message}\n`),
  },
);
process.once("SIGTERM", () => {
  void scheduler.stop().then(async () => {
    await engine.close();
    process.exit(0);
  });
});
process.stdout.write("ready\n");
