/**
 * Redshift as a warehouse. It enforces no keys, so that a marker is written once is seen to by a fence:
 * a lock that is taken last, and a look by a session that began after it was.
 */
import type {
  Marker,
  Outlet,
  TableColumn,
  Unloaded,
  Unloader,
  UnloadRequest,
} from "../../core/stores.ts";
import { masked } from "../../sql/redshift/authorization.ts";
import { LAST_UNLOAD_COUNT } from "../../sql/redshift/catalog.ts";
import * as markers from "../../sql/redshift/marker.ts";
import { sessionsAtWork } from "../../sql/redshift/settings.ts";
import { selectColumns } from "../../sql/redshift/select.ts";
import { unload } from "../../sql/redshift/unload.ts";
import { endPredecessors } from "../end-predecessors.ts";
import { sessionLabel } from "../postgres/address.ts";
import type { Session } from "../postgres/session.ts";
import type { Mode } from "../sql-transaction.ts";
import { SqlWarehouse } from "../sql-warehouse.ts";
import { columnsOfQuery, columnsOfTable, type Run } from "./catalog.ts";
import type { RedshiftDatabase } from "./database.ts";
import { mayRepeat } from "./errors.ts";
import { only, OpenTransaction, PrintedTransaction } from "./transaction.ts";

export class RedshiftWarehouse extends SqlWarehouse implements Unloader {
  readonly dialect = "redshift";
  readonly outlet: Outlet = { kind: "server", unloader: this };
  protected readonly setup = [markers.CREATE_MARKER_TABLE, markers.CREATE_FENCE_TABLE];
  readonly #redshift: RedshiftDatabase;
  readonly #look: Run;

  constructor(database: RedshiftDatabase) {
    super(database);
    this.#redshift = database;
    this.#look = (statement) => database.read(statement);
  }

  async unload(request: UnloadRequest): Promise<Unloaded> {
    const { label, signal } = request;
    return await this.database.explained({ doing: `unload of ${label}`, signal }, () =>
      this.database.inSession({ label, signal }, async (session) => {
        await endPredecessors(session, sessionsAtWork(sessionLabel(label)));
        const run: Run = (statement) => only(session, statement);
        const { columns, query } = await this.#projected(run, request);
        await run(unload({ ...request, query }, this.#redshift.access));
        const { rows } = await run(LAST_UNLOAD_COUNT);
        return { columns, rows: Number(rows[0]?.rows) };
      }),
    );
  }

  async unloadStatements(request: UnloadRequest): Promise<readonly string[]> {
    const { label, signal } = request;
    return await this.database.explained({ doing: "look at a query", signal }, async () => {
      const { query } = await this.#projected(this.#look, request);
      const { authorization, region } = this.#redshift.access;
      return [
        ...this.#redshift.beginning(label),
        sessionsAtWork(sessionLabel(label)),
        unload({ ...request, query }, { authorization: masked(authorization), region }),
        LAST_UNLOAD_COUNT,
      ];
    });
  }

  async #projected(run: Run, { query, project = (all) => all }: UnloadRequest) {
    const columns = project(await columnsOfQuery(run, query));
    return { columns, query: selectColumns(columns, query) };
  }

  protected async isSetUp(): Promise<boolean> {
    const [marker, fence] = await Promise.all(
      [markers.MARKER_TABLE, markers.FENCE_TABLE].map((table) => columnsOfTable(this.#look, table)),
    );
    return marker !== undefined && fence !== undefined;
  }

  protected async columnsOf(table: string): Promise<readonly TableColumn[] | undefined> {
    return await columnsOfTable(this.#look, table);
  }

  protected async findMarker(updateId: string): Promise<boolean> {
    return (await this.#look(markers.selectMarker(updateId))).rows.length > 0;
  }

  protected deleteMarker(updateId: string): string {
    return markers.deleteMarker(updateId);
  }

  /** The marker is looked for before BEGIN: a transaction that reads it too loses to others that insert. */
  protected async begin(session: Session, marker: Marker, mode: Mode): Promise<boolean> {
    await endPredecessors(session, sessionsAtWork(sessionLabel(marker.updateId)));
    const { rows } = await only(session, markers.selectMarker(marker.updateId));
    if (rows.length > 0) return false;
    if (mode === "atomic") await session.run("BEGIN");
    return true;
  }

  protected async mark(session: Session, marker: Marker, mode: Mode): Promise<boolean> {
    if (mode === "serial") await session.run("BEGIN");
    await session.run(markers.LOCK_FENCE);
    if (await this.findMarker(marker.updateId)) {
      await session.run("ROLLBACK");
      return false;
    }
    await session.run(markers.insertMarker(marker));
    return true;
  }

  protected transaction(session: Session, _marker: Marker, mode: Mode): OpenTransaction {
    return new OpenTransaction(session, this.#look, this.#redshift.access, mode);
  }

  protected printed(_marker: Marker, mode: Mode): PrintedTransaction {
    return new PrintedTransaction(this.#look, this.#redshift.access, mode);
  }

  protected around(marker: Marker, mode: Mode) {
    const { updateId } = marker;
    const before = [
      ...this.#redshift.beginning(updateId),
      sessionsAtWork(sessionLabel(updateId)),
      markers.selectMarker(updateId),
    ];
    const after = [markers.LOCK_FENCE, markers.insertMarker(marker), "COMMIT"];
    return mode === "atomic"
      ? { before: [...before, "BEGIN"], after }
      : { before, after: ["BEGIN", ...after] };
  }

  protected lostToAnother(error: unknown): boolean {
    return mayRepeat(error);
  }
}
