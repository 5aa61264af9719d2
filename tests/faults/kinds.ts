/**
 * One task of each kind, with the ready-made steps, on small data and with scaled timers. `id` sets the
 * runs of a sweep apart: each has its own dataset, table and marker.
 */
import { all } from "../../src/core/all.ts";
import { defineConfig } from "../../src/core/config.ts";
import { defineExternal, defineTask, defineWrapper } from "../../src/core/define.ts";
import { p } from "../../src/core/params/p.ts";
import type { Task } from "../../src/core/task.ts";
import { s3Dataset } from "../../src/targets/s3-dataset.ts";
import { tableMarker } from "../../src/targets/table-marker.ts";
import { copyTableToS3 } from "../../src/tasks/copy-table-to-s3.ts";
import { loadTable } from "../../src/tasks/load-table.ts";

const params = { id: p.text() };
const scaled = { timeout: "3s", retry: { attempts: 3, backoff: "10ms..50ms" } } as const;

export const SOURCE_TABLE = "shop.orders";
/** A table of more than a part's 8 MB, for the calls of a multipart upload. */
export const LARGE_TABLE = "shop.large";

export const GIVEN = "given/";
export const datasetOf = (id: string): string => `cases/${id}/`;
export const tableOf = (id: string): string => `target.t_${id}`;

const dumpOf = (name: string, table: string, timeout: string) =>
  defineTask(
    { name, params, output: ({ id }) => s3Dataset(datasetOf(id)), ...scaled, timeout },
    ({ source, output, signal, progress }) =>
      copyTableToS3(source, table, output, { signal, progress, lanes: 1 }),
  );

export const Dump = dumpOf("Dump", SOURCE_TABLE, "3s");
export const LargeDump = dumpOf("LargeDump", LARGE_TABLE, "12s");

/** The dataset that loads read: dumped once, before. */
export const Given = defineExternal({
  name: "Given",
  output: () => s3Dataset(GIVEN),
});

export const Load = defineTask(
  {
    name: "Load",
    params,
    requires: () => Given(),
    output: ({ id }) => tableMarker(tableOf(id)),
    ...scaled,
  },
  ({ params: { id }, input, output, warehouse }) =>
    warehouse.atomically(output, loadTable(tableOf(id), input)),
);

/** Not idempotent on purpose: run twice, it leaves two rows. */
export const Sql = defineTask(
  { name: "Sql", params, output: () => tableMarker("target.sums"), ...scaled },
  ({ params: { id }, output, warehouse }) =>
    warehouse.atomically(
      output,
      `INSERT INTO target.sums SELECT '${id}', sum(amount) FROM ${SOURCE_TABLE}`,
    ),
);

const Part = defineTask(
  { name: "Part", params: { id: p.text(), n: p.int({ min: 0, max: 1_000_000 }) }, ...scaled },
  ({ params: { n } }) => n,
);

export const Dynamic = defineTask(
  { name: "Dynamic", params, output: () => tableMarker("target.sums"), ...scaled },
  async function* ({ params: { id }, output, warehouse }) {
    const one = yield* Part({ id, n: 1 });
    const others = yield* all([Part({ id, n: 2 }), Part({ id, n: 3 })]);
    const sum = others.reduce((total, each) => total + each, one);
    await warehouse.atomically(output, `INSERT INTO target.sums VALUES ('${id}', ${sum})`);
  },
);

export const Wrapper = defineWrapper({
  name: "Wrapper",
  params,
  requires: ({ id }) => [Part({ id, n: 1 }), Part({ id, n: 2 })],
});

/** Comes while it is waited for. */
export const Feed = defineExternal({
  name: "Feed",
  params,
  output: ({ id }) => s3Dataset(datasetOf(id)),
});

/** Bad data: fails for good at its first attempt. */
export const Failing = defineTask(
  { name: "Failing", params, output: () => tableMarker("target.sums"), ...scaled },
  ({ output, warehouse }) => warehouse.atomically(output, "SELECT 1 / 0"),
);

export const project = defineConfig({
  tasks: [Dump, LargeDump, Given, Load, Sql, Part, Dynamic, Wrapper, Feed, Failing],
});

/** The kinds of a sweep by name. */
export const KINDS = {
  dump: Dump,
  "large dump": LargeDump,
  load: Load,
  sql: Sql,
  dynamic: Dynamic,
  wrapper: Wrapper,
  external: Feed,
} as const;

export type Kind = keyof typeof KINDS;

export function rootOf(kind: Kind, id: string): Task {
  return KINDS[kind]({ id });
}
