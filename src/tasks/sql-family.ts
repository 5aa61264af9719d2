/**
 * A family whose `run` is nothing but steps in the warehouse, with a marker as its output. The steps are
 * made in one place, so that what `sluice sql` prints is what is sent. Families that read or write
 * anything else are made with `defineTask`.
 */
import { defineTask, type TaskFamily } from "../core/define.ts";
import type { ParamsDeclaration, ParamValues } from "../core/params/schema.ts";
import type { TaskContext } from "../core/run.ts";
import type { Step, Transaction } from "../core/stores.ts";
import type { Target } from "../core/target.ts";
import { type TableMarker, tableMarker } from "../targets/table-marker.ts";

interface SqlFamily<D extends ParamsDeclaration> {
  readonly name: string;
  readonly params: D;
  /** What the marker says that the task is about. May throw, for parameters that do not fit. */
  readonly table: (params: ParamValues<D>) => string;
  /** Default `atomic`: all steps and the marker in one transaction. */
  readonly mode?: Transaction["mode"];
  readonly steps: (context: TaskContext<ParamValues<D>, undefined, TableMarker>) => readonly Step[];
}

export function sqlFamily<const D extends ParamsDeclaration>({
  name,
  params,
  table,
  mode = "atomic",
  steps,
}: SqlFamily<D>): TaskFamily<D, Target<TableMarker>, { readonly rows: number } | null> {
  return defineTask(
    {
      name,
      params,
      output: (values: ParamValues<D>) => tableMarker(table(values)),
      queue: "sql",
      sql: (context) =>
        mode === "atomic"
          ? context.warehouse.atomicallyStatements(context.output, ...steps(context))
          : context.warehouse.seriallyStatements(context.output, ...steps(context)),
    },
    async (context) => {
      const { rows } =
        mode === "atomic"
          ? await context.warehouse.atomically(context.output, ...steps(context))
          : await context.warehouse.serially(context.output, ...steps(context));
      return { rows };
    },
  );
}
