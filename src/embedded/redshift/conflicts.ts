/** Error 1023 on demand: tests of retries need conflicts that come when they are called. */

import { SqlError } from "./sql-error.ts";

export class Conflicts {
  readonly #planned = new Map<string, number>();

  /** The next `times` writes to the table fail. */
  plan(table: string, times: number): void {
    this.#planned.set(tableOf(table), times);
  }

  /** Throws if a conflict was planned for a write to this table. */
  check(table: string, pid: number): void {
    const name = tableOf(table);
    const left = this.#planned.get(name) ?? 0;
    if (left === 0) return;
    this.#planned.set(name, left - 1);
    throw serializationError(name, pid);
  }
}

export function serializationError(table: string, pid: number): SqlError {
  return new SqlError("XX000", "1023", {
    detail: `Serializable isolation violation on table - ${table}, transactions forming the cycle are: 1, 2 (pid:${pid})`,
  });
}

/** With or without its schema, the same table. */
function tableOf(name: string): string {
  return name.split(".").at(-1)?.toLowerCase() ?? "";
}
