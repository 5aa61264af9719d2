/** The whole night: everything that has to be true of a date in the morning after it. */
import { defineWrapper, p } from "sluice";
import { CustomerValue, DailyRevenue, EventsDaily, ProductSales } from "./marts.ts";

export const AllTasks = defineWrapper({
  name: "AllTasks",
  params: { date: p.date() },
  requires: ({ date }) => [
    DailyRevenue({ date }),
    CustomerValue({ date }),
    ProductSales({ date }),
    EventsDaily({ date }),
  ],
});

// Every family that may run, by name.
export { LoadTable, TableCopyToS3 } from "sluice";
export * from "./checks.ts";
export * from "./copies.ts";
export * from "./marts.ts";
