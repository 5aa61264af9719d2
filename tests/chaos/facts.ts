/** What a seed left behind: in the stores, in Redis, in the ledger and in the workers' logs. */
import { readFileSync } from "node:fs";
import type { SluiceEvents } from "../../src/core/events.ts";
import type { Task } from "../../src/core/task.ts";
import type { RecordedAttempt } from "../../src/queue/history/attempt.ts";
import { readAttempts } from "../../src/queue/history/read-attempts.ts";
import { lookInRedis } from "../../src/queue/look.ts";
import { resourceStatus } from "../../src/queue/resources.ts";
import type { Workplace } from "../../src/queue/runtime.ts";
import { s3Dataset } from "../../src/targets/s3-dataset.ts";
import { sweepStaleUploads } from "../../src/targets/sweep-stale-uploads.ts";
import type { Mode } from "./dataset.ts";
import type { ChaosFamilies } from "./families.ts";
import type { AppliedFault } from "./faults.ts";
import type { Graph, GraphNode } from "./graph.ts";
import { loadedTable, prefixOf, readRows, rowsOf, valueOf } from "./inputs.ts";
import { readLedger, type Written } from "./ledger.ts";
import type { Exit } from "./stage.ts";

export interface NodeFacts {
  readonly node: GraphNode;
  readonly task: Task;
  readonly state: string;
  /** What a reader finds wrong with its output. */
  readonly broken: string | undefined;
  /** The attempt that its output names, where it names one. */
  readonly writtenBy: string | undefined;
  readonly history: readonly RecordedAttempt[];
}

/** An event of a worker, as its hooks saw it. */
export interface ToldEvent {
  readonly event: keyof SluiceEvents;
  readonly pid: number;
  readonly at: number;
  readonly task: string;
  readonly attempt: string;
}

export interface Facts {
  readonly graph: Graph;
  readonly mode: Mode;
  readonly nodes: readonly NodeFacts[];
  readonly roots: readonly string[];
  /** Whether the roots were complete in time. */
  readonly converged: boolean;
  /** When the operator invalidated nodes, once each, or tried to. */
  readonly invalidated: ReadonlyMap<number, number>;
  readonly ledger: readonly Written[];
  readonly events: readonly ToldEvent[];
  readonly exits: readonly Exit[];
  readonly faults: readonly AppliedFault[];
  /** Jobs that are left in a state other than completed, by state and queue. */
  readonly leftJobs: readonly string[];
  readonly leftSessions: readonly string[];
  /** Units of resources that nobody gave back, and tasks that still wait for some. */
  readonly leftUnits: readonly string[];
  /** Uploads and parts that nobody committed, which the janitor did not remove. */
  readonly leftUploads: readonly string[];
}

export interface FactSources
  extends Pick<Facts, "graph" | "mode" | "exits" | "faults" | "converged" | "invalidated"> {
  /** Straight to the services. */
  readonly place: Workplace;
  readonly families: ChaosFamilies;
  readonly ledgerDir: string;
  readonly logs: readonly string[];
  /** Sessions that are still open in the seed's database. */
  readonly sessions: () => Promise<readonly string[]>;
}

export async function gatherFacts(sources: FactSources): Promise<Facts> {
  const { place, families, graph, mode, exits, faults, converged, invalidated } = sources;
  const leftSessions = await sources.sessions();
  const roots = await lookInRedis(place, [families.rootOf(graph, 0), families.rootOf(graph, 1)]);
  const tasks = graph.nodes.map((node) => families.taskOf(node, graph));
  const states = await lookInRedis(place, tasks);
  const nodes: NodeFacts[] = [];
  for (const [index, node] of graph.nodes.entries()) {
    const task = tasks[index];
    if (task === undefined) continue;
    nodes.push({
      node,
      task,
      state: states[index]?.state ?? "absent",
      ...(await outputFacts(sources, node)),
      history: await readAttempts(place.engine, task.id),
    });
  }
  return {
    graph,
    mode,
    nodes,
    roots: roots.map(({ state }) => state),
    ledger: readLedger(sources.ledgerDir),
    events: sources.logs.flatMap((log) => readEvents(log, new Set(tasks.map(({ id }) => id)))),
    exits,
    faults,
    converged,
    invalidated,
    leftJobs: await leftJobs(place),
    leftSessions,
    leftUnits: await leftUnits(place),
    leftUploads: mode === "naive" ? [] : await leftUploads(sources),
  };
}

async function outputFacts(
  { place: { stores }, graph, mode, families }: FactSources,
  node: GraphNode,
): Promise<Pick<NodeFacts, "broken" | "writtenBy">> {
  const signal = AbortSignal.timeout(20_000);
  const taskOf = (each: GraphNode) => families.taskOf(each, graph);
  const reading = { mode, graph, stores, signal, taskOf };
  try {
    await readRows(reading, node);
  } catch (error) {
    return { broken: String(error), writtenBy: undefined };
  }
  if (node.kind === "files" || node.kind === "dump") {
    if (mode === "naive") return naiveFacts(reading.stores.s3, prefixOf(graph, node));
    const handle = s3Dataset(prefixOf(graph, node)).bind({ task: taskOf(node), stores, signal });
    const { entries, dump } = await handle.manifest();
    const strange = entries.find(({ url }) => !url.includes(`/attempt-${dump.attempt}/`));
    return {
      broken: strange && `the manifest of ${dump.attempt} names ${strange.url}`,
      writtenBy: dump.attempt,
    };
  }
  if (node.kind === "load" && mode === "fenced") {
    const expected = rowsOf(graph, node, mode);
    const [row] = await stores.warehouse.query<{ sum: number }>(
      `SELECT sum(row)::int AS sum FROM ${loadedTable(node)}`,
    );
    const wrong = row?.sum !== (expected * (expected + 1)) / 2;
    return {
      broken: wrong ? `row numbers sum up to ${row?.sum}` : undefined,
      writtenBy: undefined,
    };
  }
  const [row] = await stores.warehouse.query<{ attempt: string | null; values: string | null }>(
    "SELECT min(attempt) AS attempt, string_agg(DISTINCT value::text, ',') AS values FROM inserted WHERE node = $1",
    [node.n],
  );
  const expected = String(valueOf(graph, node, mode));
  const wrong = rowsOf(graph, node, mode) > 0 && row?.values !== expected;
  return {
    broken: wrong ? `its rows say ${row?.values} instead of ${expected}` : undefined,
    writtenBy: row?.attempt ?? undefined,
  };
}

async function naiveFacts(
  s3: Workplace["stores"]["s3"],
  prefix: string,
): Promise<Pick<NodeFacts, "broken" | "writtenBy">> {
  const proof = await s3.read(`${prefix}_SUCCESS`);
  const { by }: { by: string } = JSON.parse(proof?.toString() ?? "{}");
  return { broken: undefined, writtenBy: by };
}

const UNFINISHED = [
  "waiting",
  "prioritized",
  "active",
  "delayed",
  "waiting-children",
  "failed",
] as const;

/** Jobs that are in another state than completed. */
export async function leftJobs({ engine, project }: Workplace): Promise<string[]> {
  const left: string[] = [];
  for (const queue of project.queues) {
    const jobs = await engine.queue(queue).getJobs([...UNFINISHED]);
    for (const job of jobs) left.push(`${job.id} is ${await job.getState()} in ${queue}`);
  }
  return left;
}

async function leftUnits(place: Workplace): Promise<string[]> {
  const resources = await resourceStatus(place);
  return resources.flatMap(({ name, holders, waiting }) => [
    ...holders.map((holder) => `${holder.id} still has ${holder.units} of ${name}`),
    ...waiting.map(({ id }) => `${id} still waits for ${name}`),
  ]);
}

/** What is left after a sweep is not referenced by a manifest, or is. */
async function leftUploads({ place: { stores }, graph }: FactSources): Promise<string[]> {
  const soon = new Date(Date.now() + 60_000);
  const prefix = `nodes/${graph.seed}/`;
  await sweepStaleUploads(stores.s3, { prefix, olderThan: 0, now: soon });
  const left: string[] = [];
  for await (const { key } of stores.s3.listUploads(prefix)) left.push(key);
  const manifests = new Map<string, string>();
  for await (const { key } of stores.s3.list(prefix)) {
    if (key.endsWith("manifest.json")) {
      manifests.set(key, (await stores.s3.read(key))?.toString() ?? "");
    }
  }
  for await (const { key } of stores.s3.list(prefix)) {
    const manifest = manifests.get(key.replace(/attempt-.*$/, "manifest.json"));
    const isNamed = manifest?.includes(stores.s3.url(key)) === true;
    if (!key.endsWith("manifest.json") && !isNamed) left.push(key);
  }
  return left;
}

/** The log has lines of other seeds, too. */
function readEvents(log: string, tasks: ReadonlySet<string>): ToldEvent[] {
  const found: ToldEvent[] = [];
  for (const line of readFileSync(log, "utf8").split("\n")) {
    if (!line.includes('"msg":"task:')) continue;
    const { msg, pid, time, task, attempt } = JSON.parse(line);
    if (!tasks.has(task.id)) continue;
    found.push({ event: msg, pid, at: Date.parse(time), task: task.id, attempt: attempt.id });
  }
  return found;
}
