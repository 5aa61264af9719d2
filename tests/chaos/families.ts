/** The families of the chaos graph, one a kind of node. Each tells the ledger what it does. */
import { setTimeout as sleep } from "node:timers/promises";
import { all } from "../../src/core/all.ts";
import { defineConfig, type Project } from "../../src/core/config.ts";
import { defineTask, defineWrapper } from "../../src/core/define.ts";
import { p } from "../../src/core/params/p.ts";
import type { Task } from "../../src/core/task.ts";
import { copyTableToS3 } from "../../src/tasks/copy-table-to-s3.ts";
import { loadTable } from "../../src/tasks/load-table.ts";
import { s3Dataset } from "../../src/targets/s3-dataset.ts";
import { tableMarker } from "../../src/targets/table-marker.ts";
import { dataset, type Mode } from "./dataset.ts";
import { type Graph, type GraphNode, graphOf, nodeOf } from "./graph.ts";
import { dumpOf, loadedTable, prefixOf } from "./inputs.ts";
import { type Context, Job } from "./job.ts";
import type { Ledger } from "./ledger.ts";

export interface ChaosFamilies {
  readonly project: Project;
  readonly taskOf: (node: GraphNode, graph: Graph) => Task;
  /** 0 or 1. */
  readonly rootOf: (graph: Graph, half: number) => Task;
}

/** Milliseconds: how much longer a naive task takes over a part, so that most faults meet one. */
const EXPOSED = 500;

const whole = p.int({ min: 0, max: 1_000_000_000 });
const params = { seed: whole, n: whole };
const retry = { attempts: 4, backoff: "50ms..400ms" };
interface Params {
  readonly seed: number;
  readonly n: number;
}

export function chaosFamilies(mode: Mode, ledger: Ledger): ChaosFamilies {
  const locate = ({ seed, n }: Params) => ({
    graph: graphOf(seed),
    node: nodeOf(graphOf(seed), n),
  });
  const requires = ({ seed, n }: Params): Task[] => {
    const { graph, node } = locate({ seed, n });
    return node.requires.map((each) => taskOf(nodeOf(graph, each), graph));
  };
  const jobOf = (context: Context & { readonly params: Params }) => {
    const { graph, node } = locate(context.params);
    const read = { mode, graph, taskOf: (each: GraphNode) => taskOf(each, graph) };
    return new Job(context, node, read, ledger);
  };

  const Files = defineTask(
    {
      name: "Files",
      params,
      requires,
      retry,
      queue: "copy",
      output: (of) => dataset(mode, prefixOf(graphOf(of.seed), locate(of).node)),
    },
    (context) =>
      jobOf(context).run(async (job) => {
        const { node, attempt } = job;
        async function* parts() {
          for (let part = 0; part < node.parts; part++) {
            await job.pause(node.milliseconds / node.parts + (mode === "naive" ? EXPOSED : 0));
            yield Array.from({ length: node.rows }, (_, row) => `${attempt.id},${part},${row}`);
          }
          job.failLate();
        }
        job.committed(await context.output.write(parts()));
      }),
  );

  const Dump = defineTask(
    {
      name: "Dump",
      params,
      requires,
      retry,
      queue: "copy",
      priority: 1,
      resources: { source: 1 },
      output: (of) => s3Dataset(prefixOf(graphOf(of.seed), locate(of).node)),
    },
    (context) =>
      jobOf(context).run(async (job) => {
        const { source, output, signal, progress } = context;
        const { n, rows, milliseconds } = job.node;
        const pause = (milliseconds / rows / 1000).toFixed(4);
        const query = `SELECT ${n} AS node, g AS row, pg_sleep(${pause})::text AS pause FROM generate_series(1, ${rows}) g`;
        await copyTableToS3(source, { query }, output, { signal, progress });
        job.committed((await output.manifest()).dump.attempt === job.attempt.id);
      }),
  );

  const Load = defineTask(
    {
      name: "Load",
      params,
      requires,
      retry,
      queue: "load",
      resources: { warehouse: 2 },
      output: (of) => tableMarker(loadedTable(locate(of).node)),
    },
    (context) =>
      jobOf(context).run(async (job) => {
        const dump = dumpOf(graphOf(context.params.seed), job.node);
        if (dump === undefined) throw new Error("a load requires a dump");
        const { s3, source, warehouse, output, signal } = context;
        const binding = { task: Dump(dumpParams(context.params, dump)), signal };
        const input = s3Dataset(prefixOf(graphOf(context.params.seed), dump)).bind({
          ...binding,
          stores: { s3, source, warehouse },
        });
        const step = loadTable(loadedTable(job.node), input);
        const { already } = await warehouse.atomically(output, step, async () => {
          await job.pause(job.node.milliseconds);
          job.failLate();
          return 0;
        });
        job.committed(!already);
      }),
  );

  const Rows = defineTask(
    {
      name: "Rows",
      params,
      requires,
      retry,
      queue: "load",
      resources: { warehouse: 1 },
      output: () => tableMarker("inserted"),
    },
    (context) =>
      jobOf(context).run(async (job) => {
        const { already } = await context.warehouse.atomically(
          context.output,
          job.insert(job.value),
          async () => {
            await job.pause(job.node.milliseconds);
            job.failLate();
            return 0;
          },
        );
        job.committed(!already);
      }),
  );

  const Sql = defineTask(
    { name: "Sql", params, retry, queue: "sql", output: () => tableMarker("inserted") },
    (context) =>
      jobOf(context).run(async (job) => {
        const sleeping = `SELECT pg_sleep(${job.node.milliseconds / 1000})`;
        const sql = `${sleeping}; ${job.insert(job.value)}`;
        job.committed(!(await context.warehouse.atomically(context.output, sql)).already);
      }),
  );

  const Dynamic = defineTask(
    {
      name: "Dynamic",
      params,
      requires,
      retry,
      queue: "default",
      output: () => tableMarker("inserted"),
    },
    async function* (context) {
      const job = jobOf(context);
      try {
        await job.begin();
        for (const batch of job.node.yields) yield* all(yielded(context.params, batch));
        const value = job.value + (await job.readAll(job.node.yields.flat()));
        const { already } = await context.warehouse.atomically(context.output, job.insert(value));
        job.committed(!already);
        job.end("answered");
      } catch (error) {
        job.threw(error);
        throw error;
      } finally {
        job.end("waits");
      }
    },
  );

  const Steps = defineTask(
    { name: "Steps", params, requires, retry, queue: "default" },
    async function* (context) {
      const job = jobOf(context);
      try {
        await job.begin();
        for (const [batch] of job.node.yields.map((each) => [each])) {
          for (const task of yielded(context.params, batch ?? [])) yield* task;
        }
        await job.readAll(job.node.yields.flat());
        await sleep(job.node.milliseconds / 4);
        job.end("answered");
        return { steps: job.node.yields.flat().length };
      } catch (error) {
        job.threw(error);
        throw error;
      } finally {
        job.end("waits");
      }
    },
  );

  const Group = defineWrapper({ name: "Group", params, requires });
  const Root = defineWrapper({
    name: "Root",
    params,
    requires: ({ seed, n }) => {
      const graph = graphOf(seed);
      return (graph.roots[n] ?? []).map((each) => taskOf(nodeOf(graph, each), graph));
    },
  });

  const yielded = ({ seed }: Params, batch: readonly number[]): Task[] =>
    batch.map((each) => taskOf(nodeOf(graphOf(seed), each), graphOf(seed)));

  const kinds = {
    files: Files,
    dump: mode === "naive" ? Files : Dump,
    load: mode === "naive" ? Rows : Load,
    rows: Rows,
    sql: Sql,
    dynamic: Dynamic,
    steps: Steps,
    group: Group,
  };
  function taskOf({ n, kind }: GraphNode, { seed }: Graph): Task {
    return kinds[kind]({ seed, n });
  }

  return {
    project: defineConfig({
      resources: { source: 2, warehouse: 3 },
      tasks: [Files, Dump, Load, Rows, Dynamic, Steps, Group, Root, Sql],
    }),
    taskOf,
    rootOf: ({ seed }, half) => Root({ seed, n: half }),
  };
}

function dumpParams({ seed }: Params, { n }: GraphNode): Params {
  return { seed, n };
}
