/**
 * One day of a table, from the shop to S3 and from S3 into the warehouse. Small tables are copied whole,
 * by the ready-made `TableCopyToS3` and `LoadTable`; these two are made of the same parts.
 */
import { copyTableToS3, daySlice, defineTask, loadTable, s3Dataset, tableMarker } from "sluice";
import { dayOf, dayOfTable, during, MOMENT } from "./days.ts";
import { DIALECT } from "./warehouse.ts";

export const DumpDay = defineTask(
  {
    name: "DumpDay",
    params: dayOfTable,
    output: ({ table, date, daysBack }) => s3Dataset(`days/${table}/${date}/${daysBack}-back/`),
    queue: "copy",
  },
  ({ params, source, output, signal, progress }) => {
    const { table } = params;
    const query = `SELECT * FROM shop.${table} WHERE ${during(MOMENT[table], dayOf(params))}`;
    return copyTableToS3(source, { query }, output, { dialect: DIALECT, signal, progress });
  },
);

/** Replaces the day's rows, so it may run as often as you like, for any dates, in any order. */
export const LoadDay = defineTask(
  {
    name: "LoadDay",
    params: dayOfTable,
    requires: (params) => DumpDay(params),
    output: ({ table }) => tableMarker(`landing.${table}`),
    queue: "load",
  },
  ({ params, input, output, warehouse, progress }) => {
    const slice = daySlice(MOMENT[params.table], dayOf(params));
    return warehouse.atomically(output, loadTable(output.table, input, { slice, progress }));
  },
);
