/** A family of families: tables of the schema `mart` of which each run replaces its own day. */
import { daySlice, defineTask, p, type Requirements, replaceFromSelect, tableMarker } from "sluice";
import type { Temporal } from "sluice";

export interface DailyMart {
  readonly name: string;
  readonly table: string;
  readonly requires: (date: Temporal.PlainDate) => Requirements;
  /** Its rows must have the date in a column `day`. */
  readonly select: (date: Temporal.PlainDate) => string;
}

/** A function that gives a family: what its marts have in common is said once. */
export function dailyMart({ name, table, requires, select }: DailyMart) {
  const step = (date: Temporal.PlainDate) =>
    replaceFromSelect(table, select(date), { slice: daySlice("day", date) });
  return defineTask(
    {
      name,
      params: { date: p.date() },
      requires: ({ date }) => requires(date),
      output: () => tableMarker(table),
      queue: "sql",
      sql: ({ params, warehouse, output }) =>
        warehouse.atomicallyStatements(output, step(params.date)),
    },
    ({ params, warehouse, output }) => warehouse.atomically(output, step(params.date)),
  );
}
