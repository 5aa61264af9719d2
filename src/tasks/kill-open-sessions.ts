/**
 * Ends sessions that are in the way: a forgotten transaction that locks a table, a statement that
 * outlived its client. `killOpenSessions` is a step for `serially`; `KillOpenSessions` is the family
 * around it. It never ends the session that it runs in.
 */
import { UsageError } from "../core/errors.ts";
import { p } from "../core/params/p.ts";
import type { Step } from "../core/stores.ts";
import { endSession, openSessions, OWN_SESSION, type Sessions } from "../sql/open-sessions.ts";
import { statementsFor } from "../sql/statements.ts";
import { sqlFamily } from "./sql-family.ts";

/**
 * A step that ends the sessions which hold a lock on `{ table }`, those of `{ user }` (on Redshift: with
 * an open transaction), or those with a `{ label }` (of a task's session: its id). What they had not
 * committed is rolled back. It gives how many were ended, and takes effect at once: in `atomically` it
 * would not be undone by a rollback, so it is refused there.
 */
export function killOpenSessions(which: Sessions): Step {
  return async (transaction) => {
    const { dialect } = transaction;
    if (transaction.mode === "atomic") {
      throw new UsageError(
        "KILL_IN_TRANSACTION",
        "killOpenSessions: a session that was ended stays so, whatever becomes of the transaction. Give the step to warehouse.serially(), or require the task KillOpenSessions.",
      );
    }
    // Not a look: that may be made by another session than the one that ends the others.
    const [own] = numbersOf((await transaction.select(OWN_SESSION)) ?? []);
    const found = await transaction.look(openSessions(which, dialect, statementsFor(dialect)));
    const others = numbersOf(found).filter((pid) => pid !== own);
    for (const pid of others) await transaction.execute(endSession(pid));
    return others.length;
  };
}

/** The first column of each row. */
function numbersOf(rows: readonly Readonly<Record<string, unknown>>[]): number[] {
  return rows.map((row) => Number(Object.values(row)[0]));
}

/**
 * Ends the sessions that hold a lock on `table`; with `user`, that user's; with `label`, those with the
 * label. Then it writes the marker. `table` is what it makes free; `date` sets days apart. Run again, it
 * ends whoever is there by then.
 */
export const KillOpenSessions = sqlFamily({
  name: "KillOpenSessions",
  params: {
    table: p.table(),
    date: p.date(),
    user: p.text().optional(),
    label: p.text().optional(),
  },
  table: ({ table, user, label }) => {
    if (user === undefined || label === undefined) return table;
    throw new UsageError(
      "SESSIONS_AMBIGUOUS",
      `KillOpenSessions of ${table}: give user or label, not both: ${JSON.stringify({ user, label })}`,
    );
  },
  mode: "serial",
  steps: ({ params: { table, user, label } }) => [
    killOpenSessions(user !== undefined ? { user } : label !== undefined ? { label } : { table }),
  ],
});
