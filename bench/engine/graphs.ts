/** The graphs that the engine is measured on: tasks that do nothing, on four queues. */
import { defineConfig } from "../../src/core/config.ts";
import { defineTask, defineWrapper } from "../../src/core/define.ts";
import { p } from "../../src/core/params/p.ts";
import type { Task } from "../../src/core/task.ts";

export const QUEUES = ["copy", "load", "sql", "unload"];
/** Jobs at the same time in a queue, ours and raw; docs/performance.md says what others give. */
export const CONCURRENCY = 25;

const number = () => p.int({ min: 0, max: 1_000_000 });
const families = QUEUES.map((queue) =>
  defineTask(
    { name: `Nothing_${queue}`, params: { shape: p.text(), n: number() }, queue },
    () => {},
  ),
);
const nothing = (shape: string, n: number): Task => {
  const family = families[n % families.length];
  if (family === undefined) throw new Error("no families");
  return family({ shape, n });
};

export const Independent = defineWrapper({
  name: "Independent",
  params: { count: number() },
  requires: ({ count }) => Array.from({ length: count }, (_, n) => nothing(`of ${count}`, n)),
});

const Cell = defineTask(
  {
    name: "Cell",
    params: { layer: number(), n: number() },
    queue: "sql",
    requires: ({ layer, n }): Task[] =>
      layer === 0
        ? []
        : [0, 1, 2].map((k) => Cell({ layer: layer - 1, n: (n * 7 + k * 31) % 100 })),
  },
  () => {},
);
const Layers = defineWrapper({
  name: "Layers",
  requires: () => Array.from({ length: 100 }, (_, n) => Cell({ layer: 9, n })),
});

const Link = defineTask(
  {
    name: "Link",
    params: { n: number() },
    queue: "sql",
    requires: ({ n }): Task[] => (n === 0 ? [] : [Link({ n: n - 1 })]),
  },
  () => {},
);

export const project = defineConfig({ tasks: [...families, Independent, Cell, Layers, Link] });

export interface Graph {
  readonly shows: string;
  readonly root: Task;
  readonly tasks: number;
  /** How often it is measured; the median is shown. */
  readonly rounds: number;
}

/** By the name that selects it on the command line. */
export const GRAPHS: ReadonlyMap<string, Graph> = new Map([
  [
    "1000",
    { shows: "1000 independent", root: Independent({ count: 1000 }), tasks: 1001, rounds: 5 },
  ],
  [
    "layers",
    { shows: "10 x 100 layers, 3 requirements each", root: Layers(), tasks: 1001, rounds: 5 },
  ],
  ["chain", { shows: "a chain of 300", root: Link({ n: 299 }), tasks: 300, rounds: 5 }],
  [
    "10000",
    { shows: "10,000 independent", root: Independent({ count: 10_000 }), tasks: 10_001, rounds: 9 },
  ],
  [
    "100000",
    {
      shows: "100,000 independent",
      root: Independent({ count: 100_000 }),
      tasks: 100_001,
      rounds: 1,
    },
  ],
]);
