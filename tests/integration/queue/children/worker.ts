/** A worker process, stopped by SIGTERM. */
import { EventHub } from "../../../../src/core/events.ts";
import { Engine } from "../../../../src/queue/engine.ts";
import { RUNTIME_DEFAULTS } from "../../../../src/queue/runtime.ts";
import { startWorker } from "../../../../src/queue/worker.ts";
import { NO_STORES, type Orders, projectOf } from "./families.ts";

const orders: Orders = JSON.parse(process.argv[2] ?? "");
const project = projectOf(orders);
const engine = await Engine.open({ redisUrl: orders.engineUrl, prefix: orders.prefix });
const { lockDuration = 1_000, leaseDuration = 1_000, concurrency = 5 } = orders;
const worker = await startWorker(
  {
    engine,
    project,
    stores: NO_STORES,
    events: new EventHub(() => {}),
    settings: { ...RUNTIME_DEFAULTS, leaseDuration },
  },
  {
    queues: project.queues,
    concurrency,
    lockDuration,
    stalledInterval: lockDuration / 2,
    onError: (error) => process.stderr.write(`${error.message}\n`),
  },
);
process.once("SIGTERM", () => {
  void worker.stop(0).then(async () => {
    await engine.close();
    process.exit(0);
  });
});
process.stdout.write("ready\n");
