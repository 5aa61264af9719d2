/** How large is each table of a Postgres, day by day? Two tasks: source to S3, S3 to warehouse. */
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

const params = { date: p.date() };

const DumpTableSizes = defineTask(
  { name: "DumpTableSizes", params, output: ({ date }) => s3Dataset(`table-sizes/${date}/`) },
  ({ params: { date }, source, output }) => {
    const query = `SELECT DATE '${date}' AS day, schemaname AS schema, relname AS name,
                          pg_table_size(relid) AS bytes FROM pg_stat_user_tables`;
    return copyTableToS3(source, { query }, output);
  },
);

const TableSizes = defineTask(
  {
    name: "TableSizes",
    params,
    requires: ({ date }) => DumpTableSizes({ date }),
    output: () => tableMarker("ops.table_sizes"),
  },
  ({ params: { date }, input, output, warehouse }) => {
    const slice = daySlice("day", date);
    return warehouse.atomically(output, loadTable(output.table, input, { slice }));
  },
);

export default defineConfig({ tasks: [DumpTableSizes, TableSizes] });
