/** How large is each table of the source, every day? From any Postgres, by way of S3, into the warehouse. */
import {
  copyTableToS3,
  daySlice,
  defineConfig,
  defineTask,
  loadTable,
  p,
  s3Dataset,
  tableMarker,
} from "sluice";

const DumpTableSizes = defineTask(
  {
    name: "DumpTableSizes",
    params: { date: p.date() },
    output: ({ date }) => s3Dataset(`table-sizes/${date}/`),
  },
  ({ params: { date }, source, output }) => {
    const query = `SELECT DATE '${date}' AS day, schemaname AS schema, relname AS name, pg_total_relation_size(relid) AS bytes FROM pg_stat_user_tables`;
    return copyTableToS3(source, { query }, output);
  },
);

const TableSizes = defineTask(
  {
    name: "TableSizes",
    params: { date: p.date() },
    requires: ({ date }) => DumpTableSizes({ date }),
    output: () => tableMarker("ops.table_sizes"),
  },
  ({ params: { date }, input, output, warehouse }) =>
    warehouse.atomically(
      output,
      loadTable("ops.table_sizes", input, { slice: daySlice("day", date) }),
    ),
);

export default defineConfig({ tasks: [DumpTableSizes, TableSizes] });
