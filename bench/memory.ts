/**
 * `npm run bench -- memory [--gb 5]`: dumps a table of that many gigabytes of CSV into S3 and loads it
 * again, each in a process of its own whose memory is sampled. It must not grow with the table.
 */
import { statfsSync } from "node:fs";
import { parseArgs } from "node:util";
import { createOrders } from "./data/orders-table.ts";
import { move } from "./data/move.ts";
import { startServices } from "./data/services.ts";

/** What a worker's container may be given. */
const LIMIT_MB = 300;

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: { gb: { type: "string", default: "5" }, connections: { type: "string", default: "1" } },
});
const gigabytes = Number(values.gb);
const connections = Number(values.connections);

const services = await startServices({ tcp: true, bufferMegabytes: 128 });
try {
  await measure();
} finally {
  await services.stop();
}

async function measure(): Promise<void> {
  const disk = statfsSync(services.dir);
  const free = (disk.bavail * disk.bsize) / 1e9;
  if (free < gigabytes * 3) {
    throw new Error(
      `${gigabytes} GB need ${gigabytes * 3} GB of disk, ${free.toFixed(0)} are free`,
    );
  }
  console.log(
    `a table of ${gigabytes} GB as CSV, gzip, ${connections} connection${connections > 1 ? "s" : ""}; Postgres ${services.version} without fsync, unlogged tables; Node ${process.versions.node}\nMB of memory (RSS) of the process that moves it\n`,
  );
  await createOrders(services, { megabytes: gigabytes * 1000 });
  await services.sql("CREATE UNLOGGED TABLE target (LIKE orders)");
  line(["", "rows", "GB", "MB/s", "start", "20 %", "50 %", "100 %", "peak"]);
  const peaks: number[] = [];
  for (const what of ["dump", "load"] as const) {
    const { seconds, rows, rawBytes, samples, rss } = await move(services, process.execPath, {
      move: what,
      name: "memory",
      connections,
      compression: "gzip",
    });
    const at = (share: number) => samples[Math.round((samples.length - 1) * share)] ?? 0;
    line([
      what,
      rows,
      (rawBytes / 1e9).toFixed(2),
      (rawBytes / 1e6 / seconds).toFixed(1),
      ...[0, 0.2, 0.5, 1].map((share) => at(share).toFixed(0)),
      rss.toFixed(0),
    ]);
    peaks.push(rss);
  }
  const [found] = await services.sql("SELECT count(*)::int AS rows FROM target");
  const highest = Math.max(...peaks);
  console.log(
    `\n${String(found?.["rows"])} rows are in the target. Highest: ${highest.toFixed(0)} MB, ${highest < LIMIT_MB ? "under" : "NOT under"} ${LIMIT_MB}`,
  );
  if (highest >= LIMIT_MB) process.exitCode = 1;
}

function line(cells: readonly (string | number)[]): void {
  console.log(
    cells
      .map((cell, at) => (at === 0 ? String(cell).padEnd(6) : String(cell).padStart(10)))
      .join(""),
  );
}
