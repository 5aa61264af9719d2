/**
 * A night on real parts: a dataset in S3, two tables that are loaded from it, a check without outputs
 * and a wrapper on top. Shared by the tests and the children that they kill.
 */
import { defineConfig } from "../../../src/core/config.ts";
import { defineTask, defineWrapper } from "../../../src/core/define.ts";
import { p } from "../../../src/core/params/p.ts";
import { s3Dataset } from "../../../src/targets/s3-dataset.ts";
import { tableMarker } from "../../../src/targets/table-marker.ts";
import { copyTableToS3 } from "../../../src/tasks/copy-table-to-s3.ts";
import { daySlice, loadTable } from "../../../src/tasks/load-table.ts";

const params = { date: p.date() };
const retry = { attempts: 3, backoff: "20ms" };

/** Changed by a test, so that a second dump can be told from the first. */
export const source = { value: 1 };

export const Dump = defineTask(
  { name: "Dump", params, retry, output: ({ date }) => s3Dataset(`dumps/${date}/`) },
  ({ params: { date }, source: database, output }) => {
    const query = `SELECT DATE '${date}' AS day, ${source.value} AS value FROM generate_series(1, 3)`;
    return copyTableToS3(database, { query }, output);
  },
);

export const Load = defineTask(
  {
    name: "Load",
    params: { table: p.choice(["first", "second"]), ...params },
    retry,
    requires: ({ date }) => Dump({ date }),
    output: ({ table }) => tableMarker(table),
  },
  ({ params: { table, date }, input, output, warehouse }) =>
    warehouse.atomically(output, loadTable(table, input, { slice: daySlice("day", date) })),
);

export const Check = defineTask(
  {
    name: "Check",
    params,
    retry,
    requires: ({ date }) => [Load({ table: "first", date }), Load({ table: "second", date })],
  },
  () => ({ rows: 0 }),
);

export const Night = defineWrapper({
  name: "Night",
  params,
  requires: ({ date }) => Check({ date }),
});

export const families = [Dump, Load, Check, Night];
export const project = defineConfig({ tasks: families });
export const CREATE_TABLES =
  "CREATE TABLE first (day date, value int); CREATE TABLE second (day date, value int)";
