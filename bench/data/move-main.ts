/**
 * A worker process of the data benches: one dump or one load, as a task does it, by the library. It
 * prints what it took as JSON: time from the first statement to the commit, without the start of Node.
 */
import { randomUUID } from "node:crypto";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { defineTask } from "../../src/core/define.ts";
import { p } from "../../src/core/params/p.ts";
import { bindOutputs } from "../../src/core/target.ts";
import { openStores } from "../../src/stores/open-stores.ts";
import { s3Dataset } from "../../src/targets/s3-dataset.ts";
import { tableMarker } from "../../src/targets/table-marker.ts";
import { copyTableToS3 } from "../../src/tasks/copy-table-to-s3.ts";
import { loadTable } from "../../src/tasks/load-table.ts";

const request = z
  .object({
    url: z.string(),
    s3: z.object({
      bucket: z.string(),
      endpoint: z.string(),
      region: z.string(),
      accessKeyId: z.string(),
      secretAccessKey: z.string(),
    }),
    move: z.enum(["dump", "load"]),
    name: z.string(),
    connections: z.number(),
    compression: z.enum(["gzip", "zstd"]),
  })
  .parse(JSON.parse(await text(process.stdin)));

const { url, s3, move, name, connections, compression } = request;
const stores = openStores({ sourceUrl: url, warehouseUrl: url, s3 });
const Dump = defineTask(
  { name: "Dump", params: { name: p.text() }, output: ({ name }) => s3Dataset(`dumps/${name}/`) },
  () => {},
);
const Load = defineTask(
  {
    name: "Load",
    params: { name: p.text() },
    output: ({ name }) => tableMarker("target", { updateId: `${name} ${randomUUID()}` }),
  },
  () => {},
);
const signal = new AbortController().signal;
const attempt = { id: randomUUID(), number: 1, confirmLease: async () => {} };
const dump = Dump({ name });
const dataset = bindOutputs(dump.outputs, { task: dump, stores, signal, attempt });

const samples = [process.memoryUsage.rss() / 1e6];
const sampling = setInterval(() => samples.push(process.memoryUsage.rss() / 1e6), 250);
const started = performance.now();
const cpu = process.cpuUsage();
if (move === "dump") {
  await copyTableToS3(stores.source, "orders", dataset, { signal, connections, compression });
} else {
  const load = Load({ name });
  const marker = bindOutputs(load.outputs, { task: load, stores, signal, attempt });
  await stores.warehouse.atomically(marker, loadTable("target", dataset, { connections }));
}
const seconds = (performance.now() - started) / 1000;
const used = process.cpuUsage(cpu);
clearInterval(sampling);
samples.push(process.memoryUsage.rss() / 1e6);
const { dump: found } = await dataset.manifest();
await stores.close();
console.log(
  JSON.stringify({
    seconds,
    cpu: (used.user + used.system) / 1e6,
    rss: (process.resourceUsage().maxRSS * 1024) / 1e6,
    samples,
    rows: found.rows,
    bytes: found.bytes,
    rawBytes: found.raw_bytes,
  }),
);
