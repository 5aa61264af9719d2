/**
 * Postgres as a warehouse. Every write is one transaction that carries its marker, so "did it happen"
 * always has an answer, also after a connection broke in the middle of COMMIT.
 */
import { setTimeout as pause } from "node:timers/promises";
import { SluiceError } from "../../core/errors.ts";
import type {
  Abort,
  Committed,
  Marker,
  Step,
  TableColumn,
  Transaction,
  Warehouse,
} from "../../core/stores.ts";
import {
  CREATE_MARKER_TABLE,
  deleteMarker,
  insertMarker,
  MARKER_TABLE,
  selectMarker,
} from "../../sql/postgres/marker.ts";
import { BEGIN_WRITE } from "../../sql/postgres/settings.ts";
import { columnsOfTable, findTable } from "./catalog.ts";
import type { PostgresDatabase } from "./database.ts";
import { isUniqueViolation, lostToAnother } from "./errors.ts";
import type { Session } from "./session.ts";
import { OpenTransaction, PrintedTransaction } from "./transaction.ts";

/** How often a transaction that loses to another one is run, and the longest pause in between. */
const TRIES = 4;
const MAX_PAUSE = 1_000;

export class PostgresWarehouse implements Warehouse {
  readonly dialect = "postgres";
  readonly address: string;
  readonly #database: PostgresDatabase;
  #hasMarkerTable = false;

  constructor(database: PostgresDatabase) {
    this.address = database.address;
    this.#database = database;
  }

  async describe(table: string): Promise<readonly TableColumn[] | undefined> {
    return await this.#database.explained({ doing: `look at ${table}` }, async () => {
      const found = await findTable(this.#database.read, table);
      return found && (await columnsOfTable(this.#database.read, found.oid));
    });
  }

  async query<R extends Record<string, unknown>>(
    sql: string,
    values?: readonly unknown[],
    options?: Abort,
  ): Promise<R[]> {
    return await this.#database.query<R>(sql, values, options);
  }

  async hasMarker(updateId: string): Promise<boolean> {
    return await this.#database.explained({ doing: `marker ${updateId}` }, async () => {
      if (!(await this.#markerTableExists())) return false;
      const { rows } = await this.#database.read(selectMarker(updateId));
      return rows.length > 0;
    });
  }

  async removeMarker(updateId: string): Promise<void> {
    await this.#database.explained({ doing: `delete marker ${updateId}` }, async () => {
      if (!(await this.#markerTableExists())) return;
      await this.#database.inSession({ label: updateId }, (session) =>
        session.run(deleteMarker(updateId)),
      );
    });
  }

  async atomically(marker: Marker, ...steps: readonly Step[]): Promise<Committed> {
    const { signal } = marker;
    const doing = `${marker.updateId} on ${marker.table}`;
    return await this.#database.explained({ doing, signal }, async () => {
      await this.#createMarkerTable();
      for (let tries = 1; ; tries++) {
        try {
          return await this.#transact(marker, steps);
        } catch (error) {
          if (signal.aborted || tries === TRIES || !lostToAnother(error)) throw error;
          await pause(Math.random() * MAX_PAUSE, undefined, { signal });
        }
      }
    });
  }

  async atomicallyStatements(
    marker: Marker,
    ...steps: readonly Step[]
  ): Promise<readonly string[]> {
    const { signal } = marker;
    const doing = `look at ${marker.table}`;
    return await this.#database.explained({ doing, signal }, async () => {
      const transaction = new PrintedTransaction(this.#database.read);
      await runSteps(transaction, steps);
      return [
        ...((await this.#markerTableExists()) ? [] : [CREATE_MARKER_TABLE]),
        ...BEGIN_WRITE,
        selectMarker(marker.updateId),
        ...transaction.statements,
        insertMarker(marker),
        "COMMIT",
      ];
    });
  }

  async #transact(marker: Marker, steps: readonly Step[]): Promise<Committed> {
    let committing = false;
    let rows = 0;
    const options = { label: marker.updateId, signal: marker.signal };
    try {
      return await this.#database.inSession(options, async (session) => {
        for (const statement of BEGIN_WRITE) await session.run(statement);
        if (await markerIsThere(session, marker)) {
          await session.run("ROLLBACK");
          return { rows: 0, already: true };
        }
        rows = await runSteps(new OpenTransaction(session, marker.signal), steps);
        await marker.confirmLease();
        committing = true;
        await session.run(insertMarker(marker));
        await session.run("COMMIT");
        return { rows, already: false };
      });
    } catch (error) {
      // From the marker on, only the marker knows: another attempt may have written it first, or
      // ours was, and the answer got lost.
      if (!committing || !(await this.hasMarker(marker.updateId))) throw error;
      return isUniqueViolation(error) ? { rows: 0, already: true } : { rows, already: false };
    }
  }

  async #markerTableExists(): Promise<boolean> {
    if (!this.#hasMarkerTable) {
      const found = await findTable(this.#database.read, MARKER_TABLE);
      this.#hasMarkerTable = found !== undefined;
    }
    return this.#hasMarkerTable;
  }

  /** Outside of the transaction: two that create it at once would not both get through. */
  async #createMarkerTable(): Promise<void> {
    if (await this.#markerTableExists()) return;
    try {
      await this.#database.inSession({ label: "sluice setup" }, (session) =>
        session.run(CREATE_MARKER_TABLE),
      );
    } catch (error) {
      if (!lostToAnother(error)) throw error;
    }
    this.#hasMarkerTable = true;
  }
}

async function runSteps(transaction: Transaction, steps: readonly Step[]): Promise<number> {
  let rows = 0;
  for (const step of steps) {
    rows += typeof step === "string" ? await transaction.execute(step) : await step(transaction);
  }
  return rows;
}

async function markerIsThere(session: Session, marker: Marker): Promise<boolean> {
  const [result] = await session.run(selectMarker(marker.updateId));
  if (result === undefined) throw new SluiceError("MARKER_UNKNOWN", "the marker was not answered");
  return result.rows.length > 0;
}
