/** What a node's output has to be, and whether what is there is that: a reader's view, not the engine's. */
import type { Stores } from "../../src/core/stores.ts";
import type { Task } from "../../src/core/task.ts";
import { type Dataset, dataset, type Mode } from "./dataset.ts";
import { type Graph, type GraphNode, nodeOf } from "./graph.ts";

export interface Reading {
  readonly mode: Mode;
  readonly graph: Graph;
  readonly stores: Stores;
  readonly signal: AbortSignal;
  readonly taskOf: (node: GraphNode) => Task;
}

/** Not whole, or not of one attempt. */
export class TornError extends Error {}

export function prefixOf({ seed }: Graph, { n }: GraphNode): string {
  return `nodes/${seed}/${n}/`;
}

export function loadedTable({ n }: GraphNode): string {
  return `public.loaded_${n}`;
}

/** The dump that a `load` loads. */
export function dumpOf(graph: Graph, { requires }: GraphNode): GraphNode | undefined {
  return requires.map((n) => nodeOf(graph, n)).find(({ kind }) => kind === "dump");
}

/** How many rows a node's output must have. */
export function rowsOf(graph: Graph, node: GraphNode, mode: Mode): number {
  const { kind, parts, rows } = node;
  if (kind === "steps" || kind === "group") return 0;
  if (kind === "files" || (kind === "dump" && mode === "naive")) return parts * rows;
  if (kind === "load" && mode === "fenced") return dumpOf(graph, node)?.rows ?? 0;
  return rows;
}

/** What a node that inserts rows writes into each of them: the rows of all that it reads, and more. */
export function valueOf(graph: Graph, node: GraphNode, mode: Mode): number {
  const read = [...node.requires, ...node.yields.flat()].map((n) => nodeOf(graph, n));
  return node.n + read.reduce((sum, each) => sum + rowsOf(graph, each, mode), 0);
}

/** Reads the output of a node and gives its rows. Throws `TornError` when it is not what it must be. */
export async function readRows(reading: Reading, node: GraphNode): Promise<number> {
  const { graph, mode, stores, signal } = reading;
  const expected = rowsOf(graph, node, mode);
  const found = await countRows(reading, node);
  if (found !== expected) throw new TornError(`${found} rows instead of ${expected}`);
  return found;

  async function countRows({ taskOf }: Reading, { n, kind }: GraphNode): Promise<number> {
    if (kind === "steps" || kind === "group") return 0;
    if (kind === "files" || kind === "dump") {
      const task = taskOf(node);
      const handle = dataset(mode, prefixOf(graph, node)).bind({ task, stores, signal });
      return await countLines(handle, kind);
    }
    const isLoaded = kind === "load" && mode === "fenced";
    const [row] = await stores.warehouse.query<{ rows: number; attempts: number }>(
      isLoaded
        ? `SELECT count(*)::int AS rows, 1 AS attempts FROM ${loadedTable(node)}`
        : "SELECT count(*)::int AS rows, count(DISTINCT attempt)::int AS attempts FROM inserted WHERE node = $1",
      isLoaded ? [] : [n],
    );
    if (row !== undefined && row.attempts > 1) throw new TornError("rows of several attempts");
    return row?.rows ?? 0;
  }
}

async function countLines(handle: Dataset, kind: "files" | "dump"): Promise<number> {
  let parts: readonly (readonly string[])[];
  try {
    parts = await handle.read();
  } catch (error) {
    if (error instanceof Error && isTorn(error)) throw new TornError(error.message);
    throw error;
  }
  const lines = parts.flat();
  const attempts = new Set(lines.map((line) => line.split(",")[0]));
  if (kind === "files" && attempts.size > 1) throw new TornError("lines of several attempts");
  return lines.length;
}

/** Other errors say that the store cannot be asked right now. */
function isTorn(error: Error): boolean {
  const code: unknown = Reflect.get(error, "code");
  const codes = ["DATASET_MISSING", "DATASET_CORRUPT", "MANIFEST_INVALID", "S3_OBJECT_CHANGED"];
  return /^there is no|NoSuchKey/.test(error.message) || codes.some((each) => each === code);
}
