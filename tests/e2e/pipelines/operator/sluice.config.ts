/** Orders land as text; the load makes numbers of them, and stops at a row that is none. */
import { defineConfig, defineTask, defineWrapper, p, tableMarker } from "sluice";

const params = { date: p.date() };

const LoadOrders = defineTask(
  {
    name: "LoadOrders",
    params,
    output: () => tableMarker("mart.orders"),
    queue: "load",
    retry: { attempts: 3, backoff: "100ms..200ms" },
  },
  ({ params: { date }, output, warehouse }) =>
    warehouse.atomically(
      output,
      `INSERT INTO mart.orders SELECT id, day, amount::numeric FROM landing.orders WHERE day = date '${date}'`,
    ),
);

const Revenue = defineTask(
  {
    name: "Revenue",
    params,
    requires: (each) => LoadOrders(each),
    output: () => tableMarker("mart.revenue"),
    queue: "sql",
  },
  ({ params: { date }, output, warehouse }) =>
    warehouse.atomically(
      output,
      `INSERT INTO mart.revenue SELECT day, sum(amount) FROM mart.orders WHERE day = date '${date}' GROUP BY day`,
    ),
);

const AllTasks = defineWrapper({
  name: "AllTasks",
  params,
  requires: (each) => [LoadOrders(each), Revenue(each)],
});

export default defineConfig({ tasks: [LoadOrders, Revenue, AllTasks] });
