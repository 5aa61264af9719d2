/**
 * Checks between loading and building: marts require them, so nothing is built on rows that are missing
 * or wrong. A check that passed leaves a marker; one that failed says what is wrong, and where.
 */
import {
  defineTask,
  LoadTable,
  p,
  PermanentError,
  type S3Dataset,
  type Source,
  TableCopyToS3,
  tableMarker,
  type Warehouse,
} from "sluice";
import { DumpDay, LoadDay } from "./copies.ts";
import { dayOf, dayOfTable, during, MOMENT } from "./days.ts";
import { DIALECT } from "./warehouse.ts";

/** All rows of a small table: as many in the warehouse as in the dump and in the shop. */
export const CheckTable = defineTask(
  {
    name: "CheckTable",
    params: { table: p.choice(["customers", "products"]), date: p.date() },
    requires: ({ table, date }) => ({
      dump: TableCopyToS3({ table: `shop.${table}`, date, dialect: DIALECT }),
      load: LoadTable({ table: `shop.${table}`, date, into: `landing.${table}`, dialect: DIALECT }),
    }),
    output: ({ table }) => tableMarker(`landing.${table}`),
    queue: "sql",
  },
  async (context) => {
    await compareCounts(context.params.table, "true", context);
    await context.warehouse.atomically(context.output);
  },
);

/** The same for one day of a table that grows. */
export const CheckDay = defineTask(
  {
    name: "CheckDay",
    params: dayOfTable,
    requires: (params) => ({ dump: DumpDay(params), load: LoadDay(params) }),
    output: ({ table }) => tableMarker(`landing.${table}`),
    queue: "sql",
  },
  async (context) => {
    const { table } = context.params;
    await compareCounts(table, during(MOMENT[table], dayOf(context.params)), context);
    await context.warehouse.atomically(context.output);
  },
);

interface Counted {
  readonly source: Source;
  readonly input: { readonly dump: S3Dataset };
  readonly warehouse: Warehouse;
}

async function compareCounts(
  table: string,
  where: string,
  { source, input, warehouse }: Counted,
): Promise<void> {
  const count = async (database: Source | Warehouse, from: string) => {
    const sql = `SELECT count(*)::int AS rows FROM ${from} WHERE ${where}`;
    const [row] = await database.query<{ rows: number }>(sql);
    return row?.rows;
  };
  const shop = await count(source, `shop.${table}`);
  const { rows: dump } = (await input.dump.manifest()).dump;
  const raw = await count(warehouse, `landing.${table}`);
  if (shop === dump && dump === raw) return;
  throw new PermanentError(
    "ROW_COUNTS_DIFFER",
    `${table} where ${where}: ${shop} rows in the shop, ${dump} in the dump, ${raw} in the warehouse. Dump and load it again.`,
  );
}

/** What is true of every sale. */
const RULES = [
  { table: "order_items", rule: "price >= 0" },
  { table: "order_items", rule: "quantity > 0" },
  { table: "order_items", rule: "coalesce(discount, 0) BETWEEN 0 AND price" },
  { table: "payments", rule: "amount >= 0" },
] as const;

/** No price or amount of the day that cannot be. */
export const CheckAmounts = defineTask(
  {
    name: "CheckAmounts",
    params: { date: p.date() },
    requires: ({ date }) => [
      CheckDay({ table: "orders", date }),
      CheckDay({ table: "order_items", date }),
      CheckDay({ table: "payments", date }),
    ],
    output: () => tableMarker("landing.order_items"),
    queue: "sql",
  },
  async ({ params: { date }, warehouse, output }) => {
    for (const { table, rule } of RULES) {
      const [broken] = await warehouse.query<{ order_id: string; rows: number }>(
        `SELECT min(order_id) AS order_id, count(*)::int AS rows FROM landing.${table}
         WHERE ${during(MOMENT[table], date)} AND (${rule}) IS NOT TRUE HAVING count(*) > 0`,
      );
      if (broken === undefined) continue;
      throw new PermanentError(
        "RULE_BROKEN",
        `landing.${table} on ${date}: "${rule}" is not true of ${broken.rows} rows, first of order ${broken.order_id}. Correct the shop, then dump and load the day again.`,
      );
    }
    await warehouse.atomically(output);
  },
);
