/**
 * `npm run bench -- compression [--mb 16] [--runs 5] [--compression zstd]`: what the window that a dump
 * chooses by the length of its rows costs and saves, on kinds of rows, against the library's own window at
 * the same level. zstd needs Node 22.15.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Transform } from "node:stream";
import { finished } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import * as zlib from "node:zlib";
import { type Compression, createCompressor } from "../src/targets/compression.ts";

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: {
    mb: { type: "string", default: "16" },
    runs: { type: "string", default: "5" },
    compression: { type: "string", default: "gzip" },
  },
});
const bytes = Number(values.mb) * 1e6;
const runs = Number(values.runs);
const compression = compressionOf(values.compression);

/** What a dump hands to a compressor at once. */
const BLOCK_BYTES = 256 * 1024;

const ownWindow = ownWindowOf(compression);

const random = (n: number) => Math.imul(n, 2654435761) >>> 0;
const hex = (n: number) => createHash("md5").update(String(n)).digest("hex");
const fields = (n: number, count: number) =>
  Array.from({ length: count }, (_, k) => `""field_${k}"": ""${random(n * count + k) % 9973}""`);
const sources = sourceFiles();

/** A row of each kind, from its number. */
const KINDS: Readonly<Record<string, (n: number) => string>> = {
  links: (n) => `${n},${random(n) % 1000003},${random(n + 1) % 5003}`,
  measurements: (n) =>
    `${n},${random(n) % 1000003},${(random(n + 2) % 1e6) / 100},2024-01-${10 + (n % 20)} 10:${10 + (random(n) % 50)}:07+00,t`,
  sessions: (n) =>
    `${n},"${hex(n)}","${["open", "paid", "shipped"][n % 3]}",${random(n) % 99991},2024-01-01 00:${10 + (n % 50)}:07.013+00,"web",f,,`,
  orders: (n) =>
    `${n},"${hex(n)}",${random(n) % 1048575},"SKU-${random(n + 1) % 99991}","delivered",${1 + (n % 9)},${(random(n + 2) % 1e7) / 100},0.${1000 + (random(n) % 2500)},f,2024-01-01 00:${10 + (n % 50)}:07.013+00,${1 + (n % 12)},"customer.${random(n) % 1048575}@example.com","note ${hex(-n)}","{""ref"": ${random(n + 4)}, ""channel"": ""app"", ""campaign"": ""c${n % 17}""}"`,
  events: (n) => `${n},"{${fields(n, 30).join(", ")}}"`,
  "wide events": (n) => `${n},"{${fields(n, 60).join(", ")}}"`,
  "files of text": (n) => `${n},"${sources[n % sources.length]}"`,
};

console.log(
  `${compression} by Node ${process.versions.node}, ${values.mb} MB of each, best of ${runs}, in turns; against ${compression}'s own window at level 1, CPU and size\n`,
);
const line = (cells: readonly string[]) =>
  console.log(cells.map((cell, at) => (at === 0 ? cell.padEnd(16) : cell.padStart(16))).join(""));
line(["", "bytes a row", "own: MB/CPU s", "short window", "long window", "chosen"]);
for (const [kind, row] of Object.entries(KINDS)) {
  const { blocks, rowBytes } = rowsOf(row);
  const contenders = {
    own: ownWindow,
    short: () => createCompressor(compression, 1),
    long: () => createCompressor(compression, BLOCK_BYTES),
    chosen: () => createCompressor(compression, rowBytes),
  };
  const best = { own: nothing(), short: nothing(), long: nothing(), chosen: nothing() };
  for (let run = 0; run < runs; run++) {
    for (const name of ["own", "short", "long", "chosen"] as const) {
      const outcome = await compress(blocks, contenders[name]());
      if (outcome.seconds < best[name].seconds) best[name] = outcome;
    }
  }
  const against = ({ seconds, size }: Outcome) =>
    `${(seconds / best.own.seconds).toFixed(2)} ${(size / best.own.size).toFixed(3)}`;
  line([
    kind,
    rowBytes.toFixed(0),
    (bytes / 1e6 / best.own.seconds).toFixed(0),
    against(best.short),
    against(best.long),
    against(best.chosen),
  ]);
}

interface Outcome {
  /** Of CPU, all threads. */
  readonly seconds: number;
  readonly size: number;
}

function nothing(): Outcome {
  return { seconds: Number.POSITIVE_INFINITY, size: 0 };
}

/** Level 1 with what the library takes when it is told nothing else, in pieces as large as ours. */
function ownWindowOf(chosen: Compression): () => Transform {
  const { createGzip, createZstdCompress } = zlib;
  const chunkSize = BLOCK_BYTES;
  if (chosen === "gzip") return () => createGzip({ level: 1, chunkSize });
  if (createZstdCompress === undefined) {
    return refuse(`zstd needs Node 22.15 or newer, this is ${process.versions.node}`);
  }
  return () => createZstdCompress({ chunkSize, params: { 100: 1 } });
}

function compressionOf(text: string): Compression {
  if (text === "gzip" || text === "zstd") return text;
  return refuse(`--compression ${text}: there are gzip and zstd`);
}

function refuse(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

function rowsOf(row: (n: number) => string): {
  readonly blocks: readonly Buffer[];
  readonly rowBytes: number;
} {
  const rows: Buffer[] = [];
  for (let at = 0; at < bytes; at += rows.at(-1)?.length ?? 0) {
    rows.push(Buffer.from(`${row(rows.length)}\n`));
  }
  const text = Buffer.concat(rows);
  const count = Math.ceil(text.length / BLOCK_BYTES);
  const blocks = Array.from({ length: count }, (_, n) =>
    text.subarray(n * BLOCK_BYTES, (n + 1) * BLOCK_BYTES),
  );
  return { blocks, rowBytes: text.length / rows.length };
}

async function compress(blocks: readonly Buffer[], compressor: Transform): Promise<Outcome> {
  let size = 0;
  compressor.on("data", (chunk: Buffer) => {
    size += chunk.length;
  });
  const before = process.cpuUsage();
  for (const block of blocks) compressor.write(block);
  compressor.end();
  await finished(compressor);
  const { user, system } = process.cpuUsage(before);
  return { seconds: (user + system) / 1e6, size };
}

/** Sluice's own, as a field of CSV each. */
function sourceFiles(): readonly string[] {
  const root = fileURLToPath(new URL("..", import.meta.url));
  return ["src", "tests", "docs"]
    .flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true }),
    )
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .toSorted()
    .map((file) => readFileSync(file, "utf8").replaceAll('"', '""'));
}
