/**
 * A row in the warehouse's marker table: proof that the task's transaction committed. The row is written
 * by `warehouse.atomically`, with the data; by default its id is the task id, so rows that Luigi wrote
 * for the same task count.
 */
import { PermanentError } from "../core/errors.ts";
import type { Marker } from "../core/stores.ts";
import type { Target, TargetHandle } from "../core/target.ts";
import { parseTableName } from "../sql/table-name.ts";

export interface TableMarker extends TargetHandle, Marker {}

/**
 * ```ts
 * defineTask(
 *   { name: "DailyRevenue", params: { date: p.date() }, output: () => tableMarker("mart.daily_revenue") },
 *   ({ warehouse, output }) =>
 *     warehouse.atomically(output, replaceFromSelect("mart.daily_revenue", sql)),
 * );
 * ```
 */
export function tableMarker(
  table: string,
  options: { readonly updateId?: string } = {},
): Target<TableMarker> {
  parseTableName(table);
  return {
    kind: "table-marker",
    bind({ task, stores, attempt, signal }) {
      const { updateId = task.id } = options;
      return {
        location: `marker ${updateId} of ${table}`,
        updateId,
        table,
        signal,
        exists: () => stores.warehouse.hasMarker(updateId),
        remove: () => stores.warehouse.removeMarker(updateId),
        async confirmLease() {
          if (attempt === undefined) {
            throw new PermanentError(
              "NOT_IN_ATTEMPT",
              `marker ${updateId} of ${table} can only be written by the running attempt of its task`,
            );
          }
          await attempt.confirmLease();
        },
      };
    },
  };
}
