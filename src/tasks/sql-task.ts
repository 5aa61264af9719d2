/** Statements of the user's own, in one transaction with their marker. */
import { defineTask } from "../core/define.ts";
import { p } from "../core/params/p.ts";
import { tableMarker } from "../targets/table-marker.ts";

/** Runs `sql`, one statement or several. `table` is what it writes; `date` sets days apart. */
export const SqlTask = defineTask(
  {
    name: "SqlTask",
    params: { sql: p.text(), table: p.table(), date: p.date() },
    output: ({ table }) => tableMarker(table),
    queue: "sql",
    sql: ({ params, output, warehouse }) => warehouse.atomicallyStatements(output, params.sql),
  },
  async ({ params, output, warehouse }) => {
    const { rows } = await warehouse.atomically(output, params.sql);
    return { rows };
  },
);
