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

/** All rows of a small table: as many in the warehouse as in the dump and in the shop. */
export const CheckTable = defineTask(
  {
    name: "CheckTable",
    params: { table: p.choice(["customers", "products"]), date: p.date() },
    requires: ({ table, date }) => ({
      dump: TableCopyToS3({ table: `shop.${table}`, date }),
      load: LoadTable({ table: `shop.${table}`, date, into: `raw.${table}` }),
    }),
    output: ({ table }) => tableMarker(`raw.${table}`),
    queue: "sql",
  },
  async ({ params: { table }, source, warehouse, input, output }) => {
    await compareCounts(table, "true", { source, warehouse, dump: input.dump });
    await warehouse.atomically(output);
  },
);

/** The same for one day of a table that grows. */
export const CheckDay = defineTask(
  {
    name: "CheckDay",
    params: dayOfTable,
    requires: (params) => ({ dump: DumpDay(params), load: LoadDay(params) }),
    output: ({ table }) => tableMarker(`raw.${table}`),
    queue: "sql",
  },
  async ({ params, source, warehouse, input, output }) => {
    const where = during(MOMENT[params.table], dayOf(params));
    await compareCounts(params.table, where, { source, warehouse, dump: input.dump });
    await warehouse.atomically(output);
  },
);

async function compareCounts(
  table: string,
  where: string,
  stores: { readonly source: Source; readonly warehouse: Warehouse; readonly dump: S3Dataset },
): Promise<void> {
  const [{ dump }, shop, raw] = await Promise.all([
    stores.dump.manifest(),
    stores.source.query<{ rows: number }>(
      `SELECT count(*)::int AS rows FROM shop.${table} WHERE ${where}`,
    ),
    stores.warehouse.query<{ rows: number }>(
      `SELECT count(*)::int AS rows FROM raw.${table} WHERE ${where}`,
    ),
  ]);
  if (shop[0]?.rows === dump.rows && dump.rows === raw[0]?.rows) return;
  throw new PermanentError(
    "ROW_COUNTS_DIFFER",
    `${table} (where ${where}): ${shop[0]?.rows} rows in the shop, ${dump.rows} in the dump, ${raw[0]?.rows} in the warehouse. Dump and load it again.`,
  );
}

/** What must never be found among a day's sales. */
const RULES = [
  ["raw.order_items", MOMENT.order_items, "price >= 0", "order_id || ', line ' || line"],
  ["raw.order_items", MOMENT.order_items, "quantity > 0", "order_id || ', line ' || line"],
  [
    "raw.order_items",
    MOMENT.order_items,
    "coalesce(discount, 0) BETWEEN 0 AND price",
    "order_id || ', line ' || line",
  ],
  ["raw.payments", MOMENT.payments, "amount >= 0", "id"],
] as const;

/** No order, price or payment of the day that cannot be. */
export const CheckAmounts = defineTask(
  {
    name: "CheckAmounts",
    params: { date: p.date() },
    requires: ({ date }) => [
      CheckDay({ table: "orders", date }),
      CheckDay({ table: "order_items", date }),
      CheckDay({ table: "payments", date }),
    ],
    output: () => tableMarker("raw.order_items"),
    queue: "sql",
  },
  async ({ params: { date }, warehouse, output }) => {
    for (const [table, moment, rule, key] of RULES) {
      const broken = await warehouse.query<{ key: string }>(
        `SELECT ${key} AS key FROM ${table} WHERE ${during(moment, date)} AND NOT (${rule}) ORDER BY 1`,
      );
      if (broken[0] === undefined) continue;
      throw new PermanentError(
        "RULE_BROKEN",
        `${table} on ${date}: ${broken.length} rows break the rule ${rule}, the first is ${broken[0].key}. Correct them in the shop, then dump and load the day again.`,
      );
    }
    await warehouse.atomically(output);
  },
);
