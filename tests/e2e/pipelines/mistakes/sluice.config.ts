/** One task for each mistake that a user can make, and one that works. */
import {
  copyTableToS3,
  daySlice,
  defineConfig,
  defineTask,
  defineWrapper,
  loadTable,
  p,
  type Requirements,
  s3Dataset,
  tableMarker,
} from "sluice";

const params = { table: p.table(), date: p.date() };
const retry = { attempts: 2, backoff: "50ms..50ms" };

const Dump = defineTask(
  {
    name: "Dump",
    params,
    output: ({ table, date }) => s3Dataset(`dumps/${table}/${date}/`),
    queue: "copy",
    retry,
    sql: ({ params: { table }, source, task, signal }) =>
      source.copyOutStatements({ from: { table }, nullText: "@NULL@", label: task.id, signal }),
  },
  ({ params: { table }, source, output, signal }) =>
    copyTableToS3(source, table, output, { signal }),
);

const Load = defineTask(
  {
    name: "Load",
    params,
    requires: (each) => Dump(each),
    output: ({ table }) => tableMarker(`landing.${table.split(".").at(-1)}`),
    queue: "load",
    retry,
  },
  async ({ input, output, warehouse }) => {
    const { rows } = await warehouse.atomically(output, loadTable(output.table, input));
    return { rows };
  },
);

const AllTasks = defineWrapper({
  name: "AllTasks",
  params: { date: p.date() },
  requires: ({ date }) => [
    Load({ table: "shop.orders", date }),
    Load({ table: "shop.products", date }),
  ],
});

/** Says in its SQL what nobody should read. */
const Secretive = defineTask(
  {
    name: "Secretive",
    params: { date: p.date() },
    output: () => tableMarker("landing.secretive"),
    sql: ({ params: { date } }) => [
      `COPY landing.orders FROM 's3://lake/${date}' CREDENTIALS 'aws_secret_access_key=hunter2'`,
      "CREATE USER reader PASSWORD 'hunter2'",
    ],
  },
  ({ warehouse, output }) => warehouse.atomically(output),
);

/** Writes rows, but not its output. */
const Forgetful = defineTask(
  {
    name: "Forgetful",
    params: { date: p.date() },
    output: ({ date }) => s3Dataset(`forgotten/${date}/`),
    queue: "copy",
  },
  () => ({ rows: 1 }),
);

/** Its rows are of another day than the slice that it replaces. */
const WrongDay = defineTask(
  {
    name: "WrongDay",
    params: { date: p.date() },
    requires: ({ date }) => Dump({ table: "shop.orders", date }),
    output: () => tableMarker("landing.days"),
    queue: "load",
  },
  ({ params: { date }, input, output, warehouse }) =>
    warehouse.atomically(
      output,
      loadTable("landing.days", input, { slice: daySlice("ordered_at", date) }),
    ),
);

const circle = (next: () => Requirements) => next();
const Chicken = defineTask(
  {
    name: "Chicken",
    params: {},
    requires: (): Requirements => circle(() => Egg({})),
    output: () => s3Dataset("chicken/"),
  },
  () => undefined,
);
const Egg = defineTask(
  { name: "Egg", params: {}, requires: () => Chicken({}), output: () => s3Dataset("egg/") },
  () => undefined,
);

export default defineConfig({
  tasks: [Dump, Load, AllTasks, Secretive, Forgetful, WrongDay, Chicken, Egg],
});
