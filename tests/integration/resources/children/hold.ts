/** A worker process that holds units until it is killed. */
import { defineConfig } from "../../../../src/core/config.ts";
import { defineTask } from "../../../../src/core/define.ts";
import { EventHub } from "../../../../src/core/events.ts";
import { p } from "../../../../src/core/params/p.ts";
import { Engine } from "../../../../src/queue/engine.ts";
import { RUNTIME_DEFAULTS } from "../../../../src/queue/runtime.ts";
import { startWorker } from "../../../../src/queue/worker.ts";
import { openStores } from "../../../../src/stores/open-stores.ts";
import type { HoldOrders } from "../deaths.test.ts";

const { url, prefix, leaseDuration }: HoldOrders = JSON.parse(process.argv[2] ?? "");
const Hold = defineTask(
  { name: "Hold", params: { n: p.text().default("") }, queue: "copy", resources: { redshift: 2 } },
  () => new Promise<void>(() => {}),
);
const engine = await Engine.open({ redisUrl: url, prefix });
await startWorker(
  {
    engine,
    project: defineConfig({ tasks: [Hold], resources: { redshift: 2 } }),
    events: new EventHub(console.error),
    stores: openStores({}),
    settings: { ...RUNTIME_DEFAULTS, leaseDuration },
  },
  {
    queues: ["copy"],
    concurrency: 1,
    lockDuration: 30_000,
    stalledInterval: 30_000,
    onError: console.error,
  },
);
process.stdout.write("ready\n");
