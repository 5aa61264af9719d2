/** What the analysts read: tables built with SQL, from rows that passed their checks. */
import { defineTask, p, replaceFromSelect, tableMarker } from "sluice";
import { CheckAmounts, CheckDay, CheckTable } from "./checks.ts";
import { dailyMart } from "./daily-mart.ts";
import { during } from "./days.ts";
import { DIALECT } from "./warehouse.ts";

/** The address is JSON: `jsonb` in Postgres, SUPER in Redshift. */
const COUNTRY =
  DIALECT === "postgres"
    ? "address ->> 'country'"
    : "json_extract_path_text(json_serialize(address), 'country')";

/** Customers as they are now, without what analysts need not see. */
export const DimCustomer = defineTask(
  {
    name: "DimCustomer",
    params: { date: p.date() },
    requires: ({ date }) => CheckTable({ table: "customers", date }),
    output: () => tableMarker("mart.dim_customer"),
    queue: "sql",
  },
  ({ warehouse, output }) =>
    warehouse.atomically(
      output,
      replaceFromSelect(
        output.table,
        `SELECT id AS customer_id, tier, ${COUNTRY} AS country, newsletter, created_at
         FROM landing.customers`,
      ),
    ),
);

/** One row an order: what was ordered, and what of it was paid by the end of the day. */
export const FctOrders = dailyMart({
  name: "FctOrders",
  table: "mart.fct_orders",
  requires: (date) => CheckAmounts({ date }),
  select: (date) => `
    WITH items AS (
      SELECT order_id, sum(quantity) AS items, sum(quantity * price - coalesce(discount, 0)) AS amount
      FROM landing.order_items WHERE ${during("ordered_at", date)} GROUP BY order_id
    ), paid AS (
      SELECT order_id, sum(amount) AS paid
      FROM landing.payments WHERE ${during("paid_at", date)} GROUP BY order_id
    )
    SELECT DATE '${date}' AS day, o.id AS order_id, o.customer_id, o.status, o.currency,
           items.items, items.amount, coalesce(paid.paid, 0) AS paid
    FROM landing.orders o
    JOIN items ON items.order_id = o.id
    LEFT JOIN paid ON paid.order_id = o.id
    WHERE ${during("o.ordered_at", date)}`,
});

export const DailyRevenue = dailyMart({
  name: "DailyRevenue",
  table: "mart.daily_revenue",
  requires: (date) => FctOrders({ date }),
  select: (date) => `
    SELECT day, currency, count(*) AS orders, sum(items) AS items, sum(amount) AS amount, sum(paid) AS paid
    FROM mart.fct_orders
    WHERE day = '${date}' AND status <> 'cancelled'
    GROUP BY day, currency`,
});

/** What each customer was worth on the day. */
export const CustomerValue = dailyMart({
  name: "CustomerValue",
  table: "mart.customer_value",
  requires: (date) => [FctOrders({ date }), DimCustomer({ date })],
  select: (date) => `
    SELECT f.day, c.customer_id, c.tier, c.country, f.currency, count(*) AS orders, sum(f.amount) AS amount
    FROM mart.fct_orders f
    JOIN mart.dim_customer c USING (customer_id)
    WHERE f.day = '${date}' AND f.status <> 'cancelled'
    GROUP BY f.day, c.customer_id, c.tier, c.country, f.currency`,
});

export const ProductSales = dailyMart({
  name: "ProductSales",
  table: "mart.product_sales",
  requires: (date) => [CheckAmounts({ date }), CheckTable({ table: "products", date })],
  select: (date) => `
    SELECT DATE '${date}' AS day, p.id AS product_id, p.name, p.category, sum(i.quantity) AS quantity
    FROM landing.order_items i
    JOIN landing.products p ON p.id = i.product_id
    WHERE ${during("i.ordered_at", date)}
    GROUP BY p.id, p.name, p.category`,
});

/** The last three days: events come late, so each run reads and counts those days again. */
export const EventsDaily = defineTask(
  {
    name: "EventsDaily",
    params: { date: p.date() },
    requires: ({ date }) =>
      [0, 1, 2].map((daysBack) => CheckDay({ table: "events", date, daysBack })),
    output: () => tableMarker("mart.events_daily"),
    queue: "sql",
  },
  ({ params: { date }, warehouse, output }) => {
    const first = date.subtract({ days: 2 });
    const days = [2, 1, 0].map((days) => `SELECT DATE '${date.subtract({ days })}' AS day`);
    const select = `
      SELECT day, count(id) AS events, count(DISTINCT session_id) AS sessions,
             count(CASE WHEN kind = 'checkout' THEN id END) AS checkouts
      FROM (${days.join(" UNION ALL ")}) AS days
      LEFT JOIN landing.events ON (happened_at AT TIME ZONE 'UTC')::date = day AND NOT is_bot
      GROUP BY day`;
    const slice = { column: "day", from: `${first}`, before: `${date.add({ days: 1 })}` };
    return warehouse.atomically(output, replaceFromSelect(output.table, select, { slice }));
  },
);
