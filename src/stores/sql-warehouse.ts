/**
 * What the warehouses have in common: every write carries its marker, so "did it happen" always has an
 * answer, also after a connection broke in the middle of COMMIT. How a transaction begins, and how a
 * marker is written so that only one attempt can, is the dialect's.
 */
import { setTimeout as pause } from "node:timers/promises";
import type {
  Abort,
  Committed,
  Dialect,
  Marker,
  Outlet,
  Step,
  TableColumn,
  Transaction,
  Warehouse,
} from "../core/stores.ts";
import type { SqlDatabase } from "./postgres/database.ts";
import type { Session } from "./postgres/session.ts";
import type { Mode, Printed } from "./sql-transaction.ts";

/** How often a transaction that loses to another one is run, and the longest pause in between. */
const TRIES = 4;
const MAX_PAUSE = 1_000;

const ALREADY: Committed = { rows: 0, already: true };

/** The rows of the last COMMIT that was sent. */
interface Sent {
  rows?: number;
}

export abstract class SqlWarehouse implements Warehouse {
  abstract readonly dialect: Dialect;
  abstract readonly outlet: Outlet;
  readonly address: string;
  protected readonly database: SqlDatabase;
  #isSetUp = false;

  constructor(database: SqlDatabase) {
    this.address = database.address;
    this.database = database;
  }

  /** The statements that create the tables of markers, once in the life of a warehouse. */
  protected abstract readonly setup: readonly string[];
  protected abstract isSetUp(): Promise<boolean>;
  protected abstract columnsOf(table: string): Promise<readonly TableColumn[] | undefined>;
  protected abstract findMarker(updateId: string): Promise<boolean>;
  protected abstract deleteMarker(updateId: string): string;
  /** Begins; false when the marker is there, and then nothing is open. */
  protected abstract begin(session: Session, marker: Marker, mode: Mode): Promise<boolean>;
  /**
   * Writes the marker into an open transaction, so that no other can commit it; false when it was
   * there, and then nothing is open.
   */
  protected abstract mark(session: Session, marker: Marker, mode: Mode): Promise<boolean>;
  protected abstract transaction(session: Session, marker: Marker, mode: Mode): Transaction;
  protected abstract printed(marker: Marker, mode: Mode): Printed;
  /** The statements of `begin`, of `mark` and of the commit. */
  protected abstract around(
    marker: Marker,
    mode: Mode,
  ): { readonly before: readonly string[]; readonly after: readonly string[] };
  /** Whether a transaction lost to another one, so that it may be repeated at once as a whole. */
  protected abstract lostToAnother(error: unknown): boolean;

  async describe(table: string): Promise<readonly TableColumn[] | undefined> {
    return await this.database.explained({ doing: `look at ${table}` }, () =>
      this.columnsOf(table),
    );
  }

  async query<R extends Record<string, unknown>>(
    sql: string,
    values?: readonly unknown[],
    options?: Abort,
  ): Promise<R[]> {
    return await this.database.query<R>(sql, values, options);
  }

  async hasMarker(updateId: string): Promise<boolean> {
    return await this.database.explained({ doing: `marker ${updateId}` }, async () => {
      return (await this.#canHaveMarkers()) && (await this.findMarker(updateId));
    });
  }

  async removeMarker(updateId: string): Promise<void> {
    await this.database.explained({ doing: `delete marker ${updateId}` }, async () => {
      if (!(await this.#canHaveMarkers())) return;
      await this.database.inSession({ label: updateId }, (session) =>
        session.run(this.deleteMarker(updateId)),
      );
    });
  }

  async atomically(marker: Marker, ...steps: readonly Step[]): Promise<Committed> {
    const { signal } = marker;
    return await this.#explained(marker, async () => {
      await this.#setUp();
      const sent: Sent = {};
      for (let tries = 1; ; tries++) {
        try {
          return await this.#perform(marker, steps, "atomic", sent);
        } catch (error) {
          if (signal.aborted || tries === TRIES || !this.lostToAnother(error)) throw error;
          await pause(Math.random() * MAX_PAUSE, undefined, { signal });
        }
      }
    });
  }

  async serially(marker: Marker, ...steps: readonly Step[]): Promise<Committed> {
    return await this.#explained(marker, async () => {
      await this.#setUp();
      return await this.#perform(marker, steps, "serial", {});
    });
  }

  async atomicallyStatements(
    marker: Marker,
    ...steps: readonly Step[]
  ): Promise<readonly string[]> {
    return await this.#print(marker, steps, "atomic");
  }

  async seriallyStatements(marker: Marker, ...steps: readonly Step[]): Promise<readonly string[]> {
    return await this.#print(marker, steps, "serial");
  }

  async #perform(
    marker: Marker,
    steps: readonly Step[],
    mode: Mode,
    sent: Sent,
  ): Promise<Committed> {
    const options = { label: marker.updateId, signal: marker.signal };
    try {
      return await this.database.inSession(options, async (session) => {
        if (!(await this.begin(session, marker, mode))) return await this.#found(marker, sent);
        const rows = await runSteps(this.transaction(session, marker, mode), steps);
        await marker.confirmLease();
        if (!(await this.mark(session, marker, mode))) return await this.#found(marker, sent);
        sent.rows = rows;
        await session.run("COMMIT");
        return { rows, already: false };
      });
    } catch (error) {
      if (sent.rows === undefined || !(await this.hasMarker(marker.updateId))) throw error;
      return await this.#found(marker, sent);
    }
  }

  /**
   * Whose the marker is that is there. After a COMMIT without an answer it is ours, unless that got lost as
   * well and another attempt wrote it: there was no other while this one has the lease.
   */
  async #found(marker: Marker, { rows }: Sent): Promise<Committed> {
    if (rows === undefined) return ALREADY;
    await marker.confirmLease();
    return { rows, already: false };
  }

  async #print(marker: Marker, steps: readonly Step[], mode: Mode): Promise<readonly string[]> {
    const { signal } = marker;
    const doing = `look at ${marker.table}`;
    return await this.database.explained({ doing, signal }, async () => {
      const transaction = this.printed(marker, mode);
      await runSteps(transaction, steps);
      const { before, after } = this.around(marker, mode);
      const setup = (await this.#canHaveMarkers()) ? [] : this.setup;
      return [...setup, ...before, ...transaction.statements, ...after];
    });
  }

  async #explained<T>(marker: Marker, work: () => Promise<T>): Promise<T> {
    const doing = `${marker.updateId} on ${marker.table}`;
    return await this.database.explained({ doing, signal: marker.signal }, work);
  }

  async #canHaveMarkers(): Promise<boolean> {
    this.#isSetUp ||= await this.isSetUp();
    return this.#isSetUp;
  }

  /** Outside of the transaction: two that create the tables at once would not both get through. */
  async #setUp(): Promise<void> {
    if (await this.#canHaveMarkers()) return;
    try {
      await this.database.inSession({ label: "sluice setup" }, async (session) => {
        for (const statement of this.setup) await session.run(statement);
      });
    } catch (error) {
      // Whatever went wrong, somebody else may have created them in between.
      if (!(await this.isSetUp())) throw error;
    }
    this.#isSetUp = true;
  }
}

async function runSteps(transaction: Transaction, steps: readonly Step[]): Promise<number> {
  let rows = 0;
  for (const step of steps) {
    rows += typeof step === "string" ? await transaction.execute(step) : await step(transaction);
  }
  return rows;
}
