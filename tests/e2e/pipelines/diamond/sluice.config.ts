/** A diamond: two tasks need the same dump, and the report needs both. */
import {
  copyTableToS3,
  defineConfig,
  defineTask,
  defineWrapper,
  loadTable,
  p,
  s3Dataset,
  tableMarker,
} from "sluice";

const params = { date: p.date() };

const DumpOrders = defineTask(
  {
    name: "DumpOrders",
    params,
    output: ({ date }) => s3Dataset(`dumps/orders/${date}/`),
    queue: "copy",
  },
  ({ source, output, signal }) => copyTableToS3(source, "shop.orders", output, { signal }),
);

const LoadOrders = defineTask(
  {
    name: "LoadOrders",
    params,
    requires: (each) => DumpOrders(each),
    output: () => tableMarker("landing.orders"),
    queue: "load",
  },
  ({ input, output, warehouse }) =>
    warehouse.atomically(output, loadTable("landing.orders", input)),
);

const CountOrders = defineTask(
  {
    name: "CountOrders",
    params,
    requires: (each) => DumpOrders(each),
    output: () => tableMarker("mart.order_counts"),
    queue: "sql",
  },
  async ({ params: { date }, input, output, warehouse }) => {
    const { dump } = await input.manifest();
    return await warehouse.atomically(
      output,
      `CREATE SCHEMA mart;
       CREATE TABLE mart.order_counts AS SELECT date '${date}' AS day, ${dump.rows} AS orders`,
    );
  },
);

const Report = defineWrapper({
  name: "Report",
  params,
  requires: (each) => [LoadOrders(each), CountOrders(each)],
});

export default defineConfig({ tasks: [DumpOrders, LoadOrders, CountOrders, Report] });
