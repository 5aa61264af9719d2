/** A worker process that records history and is killed in the middle of a task. */
import { defineConfig } from "../../../../src/core/config.ts";
import { EventHub } from "../../../../src/core/events.ts";
import { Engine } from "../../../../src/queue/engine.ts";
import { recordHistory } from "../../../../src/queue/history/record-history.ts";
import { RUNTIME_DEFAULTS } from "../../../../src/queue/runtime.ts";
import { startWorker } from "../../../../src/queue/worker.ts";
import { openStores } from "../../../../src/stores/open-stores.ts";
import { HeldForEver, LEASE, type Orders } from "../held.ts";

const { url, prefix }: Orders = JSON.parse(process.argv[2] ?? "");
const engine = await Engine.open({ redisUrl: url, prefix });
const project = defineConfig({ tasks: [HeldForEver] });
const events = new EventHub(console.error);
recordHistory(events, engine, {
  worker: `child:${process.pid}`,
  version: "v1",
  onDropped: console.error,
});
const settings = { ...RUNTIME_DEFAULTS, leaseDuration: LEASE };
await startWorker(
  { engine, project, events, stores: openStores({}), settings },
  {
    queues: project.queues,
    concurrency: 1,
    lockDuration: LEASE,
    stalledInterval: LEASE,
    onError: console.error,
  },
);
process.stdout.write("ready\n");
