/**
 * `npm run bench -- engine [1000] [layers] [chain] [10000] [100000]`: how fast graphs of tasks that do
 * nothing expand and drain, and what a task costs in Redis, beside raw BullMQ (`addBulk`, and workers
 * that do nothing) on the same queues in the same process. Each graph has a process and a Redis of its
 * own; the figures are medians of its rounds, the ratios those of ours and raw in the same round.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { type Figures, figures, medianOf } from "./engine/figures.ts";
import { CONCURRENCY, GRAPHS, QUEUES } from "./engine/graphs.ts";

const typescript = new URL("../bin/typescript.js", import.meta.url).href;
const main = fileURLToPath(new URL("./engine/measure-main.ts", import.meta.url));

const COLUMNS: readonly (readonly [name: string, width: number, of: (row: Figures) => string])[] = [
  ["tasks", 7, ({ tasks }) => String(tasks)],
  ["expand ms", 11, ({ expand }) => expand.toFixed(0)],
  ["RSS MB", 8, ({ rss }) => (rss / 1e6).toFixed(0)],
  ["loop p99", 10, ({ delay }) => delay.toFixed(0)],
  ["drain ms", 10, ({ drain }) => drain.toFixed(0)],
  ["tasks/s", 9, ({ tasks, drain }) => rate(tasks, drain).toFixed(0)],
  ["raw jobs/s", 12, ({ tasks, rawDrain }) => rate(tasks, rawDrain).toFixed(0)],
  ["ratio", 7, ({ ratio }) => ratio.toFixed(2)],
  ["with insert", 13, ({ ratioWithInsert }) => ratioWithInsert.toFixed(2)],
  ["CPU us", 8, ({ cpu, tasks }) => ((cpu / tasks) * 1000).toFixed(0)],
  ["raw", 5, ({ rawCpu, tasks }) => ((rawCpu / tasks) * 1000).toFixed(0)],
  ["B/task", 8, ({ bytes }) => bytes.toFixed(0)],
  ["again ms", 10, ({ again }) => again.toFixed(1)],
  ["ms/task", 9, (row) => perTask(row).toFixed(3)],
];

const asked = process.argv.slice(3);
const unknown = asked.find((name) => !GRAPHS.has(name));
if (unknown !== undefined) {
  throw new Error(`no graph "${unknown}": one of ${[...GRAPHS.keys()].join(", ")}`);
}

const [cpu] = cpus();
const load = loadavg()[0]?.toFixed(1);
console.log(
  `${cpus().length} x ${cpu?.model ?? "CPU"}, Node ${process.versions.node}, load ${load} at start; ${QUEUES.length} queues x ${CONCURRENCY}, one process beside Redis\n`,
);
console.log("graph".padStart(38) + COLUMNS.map(([name, width]) => name.padStart(width)).join(""));
const rows = new Map<string, Figures>();
for (const [name, { shows }] of GRAPHS) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const row = medianOf(await measured(name));
  rows.set(name, row);
  console.log(
    shows.padStart(38) + COLUMNS.map(([, width, of]) => of(row).padStart(width)).join(""),
  );
}
console.log(
  [
    "",
    "RSS, loop p99 (ms): of the process while it expanded. ratio: jobs a second over raw, draining; with insert: expansion and drain over addBulk and drain.",
    "CPU us, raw: of the process for one task while draining. B/task: of Redis, enqueued. again: submitting the complete root. ms/task: expansion and drain.",
  ].join("\n"),
);
const chain = rows.get("chain");
if (chain !== undefined) {
  const hop = chain.drain / chain.tasks;
  console.log(`chain: ${hop.toFixed(2)} ms a hop, ${perTask(chain).toFixed(2)} with its expansion`);
}
const [few, many] = [rows.get("1000"), rows.get("100000")];
if (few !== undefined && many !== undefined) {
  console.log(
    `a task of 100,000 costs ${(perTask(many) / perTask(few)).toFixed(2)} times one of 1000`,
  );
}

async function measured(name: string): Promise<readonly Figures[]> {
  const child = fork(main, [name], { execArgv: ["--import", typescript] });
  let rounds: readonly Figures[] = [];
  child.on("message", (message) => {
    rounds = figures.array().parse(message);
  });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`${name}: ended with ${code}`);
  return rounds;
}

function perTask({ expand, drain, tasks }: Figures): number {
  return (expand + drain) / tasks;
}

function rate(tasks: number, milliseconds: number): number {
  return (tasks / milliseconds) * 1000;
}
