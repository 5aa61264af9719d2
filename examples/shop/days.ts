/**
 * The tables of the shop that grow day by day, and how one day is cut out of them. Days are UTC days:
 * the nightly run begins at 02:30 in Berlin, when yesterday is over in UTC too.
 */
import { p, type Temporal } from "sluice";

/** Each table's timestamp. */
export const MOMENT = {
  orders: "ordered_at",
  order_items: "ordered_at",
  payments: "paid_at",
  events: "happened_at",
} as const;

/** The parameters of every task about one day of a table. */
export const dayOfTable = {
  table: p.choice(["orders", "order_items", "payments", "events"]),
  date: p.date({ description: "The date of the run." }),
  daysBack: p
    .int({ min: 0, max: 6, description: "How many days before it the rows are from." })
    .default(0),
};

export interface DayOfTable {
  readonly table: keyof typeof MOMENT;
  readonly date: Temporal.PlainDate;
  readonly daysBack: number;
}

export function dayOf({ date, daysBack }: DayOfTable): Temporal.PlainDate {
  return date.subtract({ days: daysBack });
}

/** SQL: whether a timestamp is within a day. Half open, and the same in every session's time zone. */
export function during(moment: string, day: Temporal.PlainDate): string {
  return `${moment} >= '${day}T00:00Z' AND ${moment} < '${day.add({ days: 1 })}T00:00Z'`;
}
