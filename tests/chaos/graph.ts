/**
 * The graph of a seed, as data: every process of a run makes the same one from the same number. Node n
 * depends on nodes with larger numbers only, so there are no circles.
 */
import { type Random, seededRandom } from "./random.ts";

/**
 * files    writes an S3 dataset, part by part
 * dump     copies a query of the source into an S3 dataset, by the library's `copyTableToS3`
 * load     loads a dump into a table of its own, by the library's `loadTable`
 * rows     inserts rows into a table that it shares, with its marker in the transaction
 * sql      the library's own `RunSql`; a leaf
 * dynamic  yields what others require, then writes rows
 * steps    yields, and has no output: only Redis knows that it is complete
 * group    a wrapper
 */
export type NodeKind = "files" | "dump" | "load" | "rows" | "sql" | "dynamic" | "steps" | "group";

export interface GraphNode {
  readonly n: number;
  readonly kind: NodeKind;
  readonly requires: readonly number[];
  /** What its run asks for, one batch after the other. */
  readonly yields: readonly (readonly number[])[];
  /** How long its run takes at least. */
  readonly milliseconds: number;
  readonly parts: number;
  readonly rows: number;
  /** How many attempts fail, and whether they do after they have written. */
  readonly failures: number;
  readonly failsLate: boolean;
}

export interface Graph {
  readonly seed: number;
  readonly nodes: readonly GraphNode[];
  /** What the two roots require. */
  readonly roots: readonly [readonly number[], readonly number[]];
}

const graphs = new Map<number, Graph>();

export function graphOf(seed: number): Graph {
  const known = graphs.get(seed);
  if (known !== undefined) return known;
  const graph = makeGraph(seed);
  graphs.set(seed, graph);
  return graph;
}

export function nodeOf(graph: Graph, n: number): GraphNode {
  const node = graph.nodes[n];
  if (node === undefined) throw new Error(`the graph of seed ${graph.seed} has no node ${n}`);
  return node;
}

function makeGraph(seed: number): Graph {
  const random = seededRandom(seed);
  const [shape, most] = random.pick<[Below, number]>([
    [tangle, 40],
    [layers, 40],
    // A chain: its length is time.
    [diamonds, 19],
  ]);
  const size = random.int(10, most);
  const below = shape(random, size);
  const nodes: GraphNode[] = [];
  for (let n = size - 1; n >= 0; n--) nodes[n] = makeNode(random, nodes, n, below(n));
  return { seed, nodes, roots: makeRoots(random, nodes) };
}

function makeNode(
  random: Random,
  nodes: readonly GraphNode[],
  n: number,
  below: readonly number[],
): GraphNode {
  const kind = kindOf(random, nodes, below);
  const asks = kind === "dynamic" || kind === "steps";
  const [requires, yielded] = asks ? split(random, below) : [below, []];
  const half = random.int(0, yielded.length);
  return {
    n,
    kind,
    requires,
    yields: [yielded.slice(0, half), yielded.slice(half)].filter((batch) => batch.length > 0),
    milliseconds: Math.floor(20 + random.next() * random.next() * 700),
    parts: random.int(1, 4),
    rows: random.int(5, 40),
    failures: random.chance(0.2) ? random.int(1, 2) : 0,
    failsLate: random.chance(0.5),
  };
}

function kindOf(random: Random, nodes: readonly GraphNode[], below: readonly number[]): NodeKind {
  if (below.length === 0) return random.pick(["files", "files", "dump", "dump", "rows", "sql"]);
  const kinds: NodeKind[] = ["files", "files", "rows", "rows", "dump", "group"];
  if (below.some((each) => nodes[each]?.kind === "dump")) kinds.push("load", "load", "load");
  if (below.length > 1) kinds.push("dynamic", "dynamic", "steps");
  return random.pick(kinds);
}

function split(random: Random, below: readonly number[]): [number[], number[]] {
  const required: number[] = [];
  const yielded: number[] = [];
  for (const each of below) (random.chance(0.4) ? required : yielded).push(each);
  return [required, yielded];
}

type Below = (random: Random, size: number) => (n: number) => number[];

const tangle: Below = (random, size) => (n) => {
  const found: number[] = [];
  for (let other = n + 1; other < size; other++) {
    if (random.chance(2.2 / (size - n))) found.push(other);
  }
  return found;
};

const layers: Below = (random, size) => {
  const width = random.int(3, 7);
  return (n) => {
    const next = (Math.floor(n / width) + 1) * width;
    const found = new Set<number>();
    if (next >= size) return [];
    for (let edge = random.int(1, 3); edge > 0; edge--) {
      found.add(random.int(next, Math.min(next + width, size) - 1));
    }
    return [...found];
  };
};

/** 0 requires 1 and 2, both require 3; 3 requires 4 and 5, both require 6; … */
const diamonds: Below = (random, size) => (n) => {
  const found = n % 3 === 0 ? [n + 1, n + 2] : [n + (n % 3 === 1 ? 2 : 1)];
  if (random.chance(0.2)) found.push(random.int(n + 1, size));
  return [...new Set(found)].filter((each) => each < size);
};

/** Together they need every node, and they overlap. */
function makeRoots(random: Random, nodes: readonly GraphNode[]): [number[], number[]] {
  const needed = new Set(nodes.flatMap(({ requires, yields }) => [...requires, ...yields.flat()]));
  const roots: [number[], number[]] = [[], []];
  for (const { n } of nodes) {
    const inBoth = random.chance(0.3);
    if (inBoth || (!needed.has(n) && random.chance(0.5))) roots[0].push(n);
    if (inBoth || (!needed.has(n) && !roots[0].includes(n))) roots[1].push(n);
  }
  return roots;
}
