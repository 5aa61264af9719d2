/**
 * `npm run bench -- data [--mb 1000] [--runs 3] [--socket] [--costly] [--only load]`: dumps into S3 and loads into
 * Postgres beside what an operator pipes together by hand, on one table, one machine, in turns. Prints the
 * median of each and the ratio to its peer. `--only` takes the contenders whose names have the word, and
 * their peers.
 */
import { cpus } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { type CpuSeconds, cpuClock } from "./data/cpu.ts";
import { move } from "./data/move.ts";
import { nodeWithZstd } from "./data/node-with-zstd.ts";
import { createOrders } from "./data/orders-table.ts";
import { shell, stagesOf } from "./data/peers.ts";
import { startServices } from "./data/services.ts";

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: {
    mb: { type: "string", default: "1000" },
    runs: { type: "string", default: "3" },
    only: { type: "string", default: "" },
    socket: { type: "boolean", default: false },
    costly: { type: "boolean", default: false },
  },
});
const megabytes = Number(values.mb);
const runs = Number(values.runs);

interface Outcome {
  readonly seconds: number;
  /** Of our process, without the start of Node. */
  readonly cpu?: number;
  readonly rss?: number;
  /** Bytes in S3. */
  readonly bytes?: number;
  readonly rawBytes?: number;
}

interface Contender {
  readonly name: string;
  /** What the ratio is to. */
  readonly peer: string;
  readonly run: (name: string) => Promise<Outcome>;
}

interface Measured extends Outcome, CpuSeconds {}

// A scan of a quarter of the buffers or more is not kept in them.
const services = await startServices({ tcp: !values.socket, bufferMegabytes: 6 * megabytes });
try {
  await compare();
} finally {
  await services.stop();
}

async function compare(): Promise<void> {
  const rows = await createOrders(services, { megabytes, costly: values.costly });
  const stages = stagesOf(services);
  const zstd = await nodeWithZstd(services.dir);
  const rawBytes = Number(await shell(`${stages.copyOut} | wc -c`));
  const gzBytes = Number(await shell(`${stages.copyOut} | gzip -1 | wc -c`));
  const [cpu] = cpus();
  const [build] = await services.sql("SELECT setting FROM pg_config WHERE name = 'CFLAGS'");
  const optimised = /-O\S+/.exec(String(build?.["setting"]))?.[0] ?? "-O0";
  console.log(
    [
      `${rows} rows${values.costly ? " of costly types" : ""}, ${(rawBytes / 1e6).toFixed(0)} MB as CSV; Postgres ${services.version} (built with ${optimised}) by ${values.socket ? "a local socket" : "TCP"}, in memory, fsync off, unlogged tables; ${cpus().length} x ${cpu?.model ?? "CPU"}, Node ${process.versions.node}`,
      `peers: ${stages.are}`,
      `zstd: ${zstd.is}`,
      `median of ${runs}, in turns. MB/s of CSV. CPU seconds: client with all its processes, Postgres's backends, the S3 server\n`,
    ].join("\n"),
  );

  const dump =
    (connections: number, compression: "gzip" | "zstd", node = process.execPath) =>
    (name: string) =>
      move(services, node, { move: "dump", name, connections, compression });
  const dumps: Contender[] = [
    { name: "psql COPY > /dev/null", peer: "", run: () => timed(`${stages.copyOut} > /dev/null`) },
    {
      name: "psql COPY | gzip -1 | PUT",
      peer: "psql COPY | gzip -1 | PUT",
      run: (name) => timed(`${stages.copyOut} | gzip -1 | ${stages.put(name, gzBytes)}`, gzBytes),
    },
    ...[1, 2].map((connections) => ({
      name: `dump into S3, gzip, ${connections} connection${connections > 1 ? "s" : ""}`,
      peer: "psql COPY | gzip -1 | PUT",
      run: dump(connections, "gzip"),
    })),
    ...(zstd.path === undefined ? [] : [1, 2]).map((connections) => ({
      name: `dump into S3, zstd, ${connections} connection${connections > 1 ? "s" : ""}`,
      peer: "psql COPY | gzip -1 | PUT",
      run: dump(connections, "zstd", zstd.path),
    })),
  ];
  report(await inTurns(dumps), rawBytes);

  // Peers read a file of their own disk; we read S3, prove the checksums and write the marker.
  const file = path.join(services.dir, "orders.csv.gz");
  await shell(`${stages.copyOut} | gzip -1 > ${file}`);
  await move(services, process.execPath, {
    move: "dump",
    name: "load",
    connections: 1,
    compression: "gzip",
  });
  const load = (connections: number) => () =>
    move(services, process.execPath, {
      move: "load",
      name: "load",
      connections,
      compression: "gzip",
    });
  const peer = "gunzip | psql COPY";
  // In our CSV every text is quoted, which costs a server that reads it.
  const ourFile = path.join(services.dir, "dump.csv.gz");
  await services.fetchDump("load", ourFile);
  const copyIn = (options: string) =>
    stages.copyIn(`COPY target FROM STDIN WITH (FORMAT csv${options})`);
  const loads: Contender[] = [
    { name: peer, peer, run: () => timed(`gunzip -c ${file} | ${copyIn("")}`) },
    {
      name: "gunzip | psql COPY of our dump's CSV",
      peer,
      run: () => timed(`gunzip -c ${ourFile} | ${copyIn(", NULL '@NULL@'")}`),
    },
    { name: "load from S3, 1 connection", peer, run: load(1) },
    { name: "load from S3, 2 connections", peer, run: load(2) },
  ];
  const checked = loads.map((contender) => ({
    ...contender,
    run: async (name: string) => {
      await services.sql("DROP TABLE IF EXISTS target; CREATE UNLOGGED TABLE target (LIKE orders)");
      const outcome = await contender.run(name);
      const [found] = await services.sql("SELECT count(*)::int AS rows FROM target");
      if (found?.["rows"] !== rows) throw new Error(`${contender.name}: not all rows`);
      return outcome;
    },
  }));
  report(await inTurns(checked), rawBytes);
}

async function inTurns(contenders: readonly Contender[]): Promise<Map<Contender, Measured[]>> {
  const named = contenders.filter(({ name }) => name.includes(values.only));
  const wanted = contenders.filter(
    (each) => named.includes(each) || named.some(({ peer }) => peer === each.name),
  );
  const measured = new Map(wanted.map((contender) => [contender, [] as Measured[]]));
  for (let run = 0; run < runs; run++) {
    for (const [contender, outcomes] of measured) {
      const clock = cpuClock(services.pids);
      const outcome = await contender.run(`run-${run}-${wanted.indexOf(contender)}`);
      await services.removeDumps("run-");
      // Postgres's parent has to notice that its backend ended.
      await new Promise((resolve) => setTimeout(resolve, 200));
      const cpu = clock();
      outcomes.push({ ...outcome, ...cpu, client: outcome.cpu ?? cpu.client });
    }
  }
  return measured;
}

function report(measured: Map<Contender, Measured[]>, rawBytes: number): void {
  const speeds = new Map<string, number>();
  const line = (cells: readonly (string | number)[]) =>
    console.log(
      cells
        .map((cell, at) => (at === 0 ? String(cell).padEnd(40) : String(cell).padStart(9)))
        .join(""),
    );
  line(["", "MB/s", "best", "ratio", "MB in S3", "client", "postgres", "s3", "RSS MB"]);
  for (const [{ name, peer }, outcomes] of measured) {
    const sorted = outcomes.toSorted((a, b) => a.seconds - b.seconds);
    const middle = sorted[Math.floor(sorted.length / 2)];
    const best = sorted[0];
    if (middle === undefined || best === undefined) continue;
    const speed = rawBytes / 1e6 / middle.seconds;
    speeds.set(name, speed);
    const against = speeds.get(peer);
    line([
      name,
      speed.toFixed(1),
      (rawBytes / 1e6 / best.seconds).toFixed(1),
      against === undefined ? "" : (speed / against).toFixed(2),
      middle.bytes === undefined ? "" : (middle.bytes / 1e6).toFixed(0),
      middle.client.toFixed(1),
      middle.postgres.toFixed(1),
      middle.s3.toFixed(1),
      middle.rss === undefined ? "" : middle.rss.toFixed(0),
    ]);
  }
  console.log("");
}

async function timed(command: string, bytes?: number): Promise<Outcome> {
  const started = performance.now();
  await shell(command);
  const seconds = (performance.now() - started) / 1000;
  return bytes === undefined ? { seconds } : { seconds, bytes };
}
