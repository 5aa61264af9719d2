/** Postgres as a warehouse: its own unique keys see to it that a marker is written once. */
import type { Committed, Marker, Outlet, Step, TableColumn } from "../../core/stores.ts";
import { dropStage } from "../../sql/postgres/load-stage.ts";
import {
  CREATE_MARKER_TABLE,
  deleteMarker,
  insertMarker,
  MARKER_TABLE,
  selectMarker,
} from "../../sql/postgres/marker.ts";
import { BEGIN_SERIAL, BEGIN_WRITE, sessionsAtWork } from "../../sql/postgres/settings.ts";
import { endPredecessors } from "../end-predecessors.ts";
import type { Mode } from "../sql-transaction.ts";
import { SqlWarehouse } from "../sql-warehouse.ts";
import { sessionLabel } from "./address.ts";
import { columnsOfTable, findTable } from "./catalog.ts";
import { lostToAnother } from "./errors.ts";
import type { Session } from "./session.ts";
import { PostgresSource } from "./source.ts";
import { stageIdentity } from "./load-files.ts";
import { OpenTransaction, PrintedTransaction } from "./transaction.ts";

export class PostgresWarehouse extends SqlWarehouse {
  readonly dialect = "postgres";
  readonly outlet: Outlet = { kind: "stream", source: new PostgresSource(this.database) };
  protected readonly setup = [CREATE_MARKER_TABLE];
  /** What loads by several sessions have committed beside their transaction. */
  readonly #stages = new WeakMap<Marker, Map<string, string>>();

  protected async isSetUp(): Promise<boolean> {
    return (await findTable(this.database.read, MARKER_TABLE)) !== undefined;
  }

  protected async columnsOf(table: string): Promise<readonly TableColumn[] | undefined> {
    const found = await findTable(this.database.read, table);
    return found && (await columnsOfTable(this.database.read, found.oid));
  }

  protected async findMarker(updateId: string): Promise<boolean> {
    return (await this.database.read(selectMarker(updateId))).rows.length > 0;
  }

  protected deleteMarker(updateId: string): string {
    return deleteMarker(updateId);
  }

  /** A transaction that goes on without its client never commits; a statement on its own does. */
  protected async begin(session: Session, marker: Marker, mode: Mode): Promise<boolean> {
    for (const statement of opening(mode)) await session.run(statement);
    if (mode === "serial") await endPredecessors(session, predecessorsOf(marker));
    const [found] = await session.run(selectMarker(marker.updateId));
    if (found?.rows.length === 0) return true;
    if (mode === "atomic") await session.run("ROLLBACK");
    return false;
  }

  /** Whoever inserts second waits for the first one's end, and inserts nothing if that was a COMMIT. */
  protected async mark(session: Session, marker: Marker, mode: Mode): Promise<boolean> {
    if (mode === "serial") await session.run("BEGIN");
    const [inserted] = await session.run(insertMarker(marker));
    if (inserted?.rowCount === 1) return true;
    await session.run("ROLLBACK");
    return false;
  }

  override async atomically(marker: Marker, ...steps: readonly Step[]): Promise<Committed> {
    try {
      return await super.atomically(marker, ...steps);
    } catch (error) {
      await this.#dropStages(marker);
      throw error;
    }
  }

  protected transaction(session: Session, marker: Marker, mode: Mode): OpenTransaction {
    const { updateId } = marker;
    const stages = this.#stages.get(marker) ?? new Map<string, string>();
    this.#stages.set(marker, stages);
    return new OpenTransaction(session, marker.signal, mode, {
      updateId,
      stages,
      inSession: (signal, work) => this.database.inSession({ label: updateId, signal }, work),
    });
  }

  protected printed({ updateId }: Marker, mode: Mode): PrintedTransaction {
    return new PrintedTransaction(this.database.read, mode, updateId);
  }

  /**
   * Those that no transaction took over, unless they are another attempt's by now: those have the same
   * names. What a process leaves that dies, its next attempt replaces.
   */
  async #dropStages(marker: Marker): Promise<void> {
    const stages = [...(this.#stages.get(marker) ?? [])];
    if (stages.length === 0) return;
    await this.database
      .inSession({ label: marker.updateId }, async (session) => {
        await session.run("SET lock_timeout = '500ms'");
        for (const [stage, identity] of stages) {
          const found = await stageIdentity((...query) => session.read(...query), stage);
          if (found === identity) await session.run(dropStage(stage));
        }
      })
      .catch(() => {});
  }

  protected around(marker: Marker, mode: Mode) {
    const look = selectMarker(marker.updateId);
    const after = [insertMarker(marker), "COMMIT"];
    return mode === "atomic"
      ? { before: [...opening(mode), look], after }
      : { before: [...opening(mode), predecessorsOf(marker), look], after: ["BEGIN", ...after] };
  }

  protected lostToAnother(error: unknown): boolean {
    return lostToAnother(error);
  }
}

function opening(mode: Mode): readonly string[] {
  return mode === "atomic" ? BEGIN_WRITE : BEGIN_SERIAL;
}

function predecessorsOf({ updateId }: Marker): string {
  return sessionsAtWork(sessionLabel(updateId));
}
