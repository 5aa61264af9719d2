/**
 * One task of every ready-made family, and what is made of their steps: the examples of docs/tasks.md.
 * To look at: `sluice graph Night --date 2026-11-21 --config examples/families/sluice.config.ts`.
 */
import {
  Analyze,
  all,
  analyze,
  CheckTable,
  CopyIntoTableFromS3,
  CopyJsonIntoTable,
  CreateTable,
  CreateTableFromSelectQuery,
  checkTable,
  createTable,
  DeleteTable,
  defineConfig,
  defineExternal,
  defineTask,
  defineWrapper,
  Grant,
  grant,
  InsertIntoTable,
  KillOpenSessions,
  LoadTable,
  p,
  partitionExists,
  RenameTable,
  RunSql,
  replaceFromSelect,
  S3Copy,
  S3Delete,
  S3Manifest,
  s3Flag,
  TableCopyToS3,
  Temporal,
  TruncateTable,
  tableMarker,
  UnloadQuery,
  UnloadTable,
  Vacuum,
  vacuum,
  WaitForS3,
} from "sluice";

const date = Temporal.PlainDate.from("2026-11-21");

export const dump = TableCopyToS3({ table: "shop.orders", date });

export const load = LoadTable({ table: "shop.orders", date, into: "landing.orders" });

export const unload = UnloadTable({ table: "mart.visits", date });

export const unloadSome = UnloadQuery({
  name: "large-orders",
  query: "SELECT * FROM landing.orders WHERE amount > 1000",
  date,
});

export const fromFiles = CopyIntoTableFromS3({
  table: "landing.rates",
  prefix: "partner/rates/",
  date,
  suffix: ".csv.gz",
});

export const fromJson = CopyJsonIntoTable({
  table: "landing.clicks",
  prefix: "partner/clicks/",
  date,
});

export const addRows = InsertIntoTable({
  table: "mart.history",
  query: "SELECT * FROM mart.visits",
  date,
});

export const rebuild = CreateTableFromSelectQuery({
  table: "mart.visits",
  query: "SELECT day, count(*) AS visits FROM landing.clicks GROUP BY day",
  date,
});

export const visits = CreateTable({
  table: "mart.visits",
  date,
  columns: [
    { name: "day", type: "date", notNull: true },
    { name: "visits", type: "bigint", default: "0" },
  ],
  primaryKey: ["day"],
  redshift: { distStyle: "all", sortKey: ["day"], encode: { visits: "az64" } },
});

export const dropOld = DeleteTable({ table: "mart.visits_2019", date });

export const emptyStage = TruncateTable({ table: "stage.visits", date });

export const rename = RenameTable({ table: "mart.visits", to: "page_visits", date });

export const close = RunSql({
  sql: "UPDATE mart.months SET closed = true WHERE month < '2026-11-01'",
  table: "mart.months",
  date,
});

export const tidy = Vacuum({ table: "mart.visits", date, analyze: true });

export const statistics = Analyze({ table: "mart.visits", date, columns: ["day"] });

export const readers = Grant({
  privileges: ["select"],
  to: [{ kind: "group", name: "analysts" }],
  tablesIn: "mart",
  date,
});

export const free = KillOpenSessions({ table: "mart.visits", date });

export const check = CheckTable({
  table: "mart.visits",
  date,
  minRows: 1,
  notNull: ["day"],
  unique: [["day"]],
  noRows: ["SELECT * FROM mart.visits WHERE visits < 0"],
});

export const manifest = S3Manifest({
  prefix: "partner/rates/",
  manifest: "manifests/rates.json",
  suffix: ".csv.gz",
});

export const publish = S3Copy({ from: "exports/visits/", to: "public/visits/" });

export const cleanUp = S3Delete({ prefix: "exports/visits/2019/", date });

export const partner = WaitForS3({ path: "partner/rates/" });

const columns = [
  { name: "day", type: "date" },
  { name: "visits", type: "bigint" },
];

export const BuildVisits = defineTask(
  {
    name: "BuildVisits",
    params: { date: p.date() },
    requires: ({ date }) => LoadTable({ table: "shop.clicks", date, into: "landing.clicks" }),
    output: () => tableMarker("mart.visits"),
    queue: "sql",
  },
  ({ warehouse, output }) =>
    warehouse.atomically(
      output,
      createTable({ table: "mart.visits", columns }),
      replaceFromSelect(
        "mart.visits",
        "SELECT day, count(*) AS visits FROM landing.clicks GROUP BY day",
      ),
      checkTable("mart.visits", { minRows: 1, unique: [["day"]] }),
      grant({ privileges: ["select"], on: { table: "mart.visits" }, to: [{ kind: "public" }] }),
      analyze("mart.visits"),
    ),
);

export const Housekeeping = defineTask(
  {
    name: "Housekeeping",
    params: { date: p.date() },
    requires: ({ date }) => BuildVisits({ date }),
    output: () => tableMarker("mart"),
    queue: "sql",
  },
  async function* ({ params: { date }, warehouse, output }) {
    yield* LoadTable({ table: "shop.orders", date, into: "landing.orders" });
    yield* all([
      Analyze({ table: "landing.clicks", date }),
      Analyze({ table: "landing.orders", date }),
    ]);
    return await warehouse.serially(output, vacuum("mart.visits"), vacuum("landing.clicks"));
  },
);

export const Rates = defineExternal({
  name: "Rates",
  params: { date: p.date() },
  output: ({ date }) => partitionExists("finance.rates", "day", date),
});

export const Export = defineExternal({
  name: "Export",
  params: { date: p.date() },
  output: ({ date }) => s3Flag(`partner/exports/${date}/`, { name: "READY" }),
});

export const Night = defineWrapper({
  name: "Night",
  params: { date: p.date() },
  requires: ({ date }) => [BuildVisits({ date }), Housekeeping({ date })],
});

export default defineConfig({
  tasks: [
    BuildVisits,
    Housekeeping,
    Night,
    Rates,
    Export,
    Analyze,
    CheckTable,
    CopyIntoTableFromS3,
    CopyJsonIntoTable,
    CreateTable,
    CreateTableFromSelectQuery,
    DeleteTable,
    Grant,
    InsertIntoTable,
    KillOpenSessions,
    LoadTable,
    RenameTable,
    RunSql,
    S3Copy,
    S3Delete,
    S3Manifest,
    TableCopyToS3,
    TruncateTable,
    UnloadQuery,
    UnloadTable,
    Vacuum,
    WaitForS3,
  ],
});
