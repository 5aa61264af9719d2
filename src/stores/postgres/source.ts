/** Postgres as the database that tables are dumped from. It only ever reads. */
import { PermanentError } from "../../core/errors.ts";
import type { Abort, CopyOut, CopyOutRequest, Source, TableColumn } from "../../core/stores.ts";
import * as dump from "../../sql/postgres/dump.ts";
import { columnsOfTable, findTable, unknownTable } from "./catalog.ts";
import { copyShares } from "./copy-shares.ts";
import type { Read, SqlDatabase } from "./database.ts";
import { type FoundRelation, planDump } from "./dump-plan.ts";
import type { Session } from "./session.ts";

export class PostgresSource implements Source {
  readonly address: string;
  readonly #database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.address = database.address;
    this.#database = database;
  }

  async describe(table: string): Promise<readonly TableColumn[]> {
    return await this.#database.explained({ doing: `look at ${table}` }, async () => {
      const found = await findTable(this.#database.read, table);
      if (found === undefined) throw await this.#unknown(table);
      return await columnsOfTable(this.#database.read, found.oid);
    });
  }

  async copyOut<T>(request: CopyOutRequest, consume: (copy: CopyOut) => Promise<T>): Promise<T> {
    const { signal, label = "sluice dump", connections = 1 } = request;
    const doing = `dump of ${nameOf(request)}`;
    return await this.#database.explained({ doing, signal }, () =>
      this.#database.inSession({ label, signal }, async (session) => {
        const read: Read = (sql, values) => session.read(sql, values);
        const relation = await this.#relation(read, request);
        for (const statement of dump.openDump(relation)) await session.run(statement);
        const shared = connections > 1 ? await exportSnapshot(session) : "";
        const { columns, bytes, statements } = await planDump(read, relation, request);
        const others = Math.min(connections, statements.length) - 1;
        return await this.#joined(others, { label, signal }, shared, async (joined) => {
          const sessions = [session, ...joined];
          const snapshot = await snapshotOf(read);
          const blocks = copyShares(sessions, statements);
          const result = await consume({ columns, snapshot, bytes, blocks });
          if (!blocks.readableEnded) throw unread();
          for (const each of sessions) await each.run("COMMIT");
          return result;
        });
      }),
    );
  }

  async copyOutStatements(request: CopyOutRequest): Promise<readonly string[]> {
    const doing = `look at ${nameOf(request)}`;
    const { connections = 1 } = request;
    return await this.#database.explained({ doing, signal: request.signal }, async () => {
      const { read } = this.#database;
      const relation = await this.#relation(read, request);
      const { looks, statements } = await planDump(read, relation, request);
      const sessions = Math.min(connections, statements.length);
      return [
        ...dump.openDump(relation),
        ...(connections > 1 ? [dump.EXPORT_SNAPSHOT] : []),
        ...looks,
        ...Array.from({ length: sessions - 1 }, () => dump.joinDump("(its answer)")).flat(),
        ...statements,
        ...Array.from({ length: sessions }, () => "COMMIT"),
      ];
    });
  }

  /** Opens further sessions on the snapshot for `work`. What breaks one of them ends all of them. */
  async #joined<T>(
    count: number,
    options: { readonly label: string; readonly signal: AbortSignal | undefined },
    snapshot: string,
    work: (sessions: readonly Session[]) => Promise<T>,
  ): Promise<T> {
    if (count <= 0) return await work([]);
    return await this.#database.inSession(options, async (session) => {
      for (const statement of dump.joinDump(snapshot)) await session.run(statement);
      return await this.#joined(count - 1, options, snapshot, (others) =>
        work([session, ...others]),
      );
    });
  }

  async query<R extends Record<string, unknown>>(
    sql: string,
    values?: readonly unknown[],
    options?: Abort,
  ): Promise<R[]> {
    return await this.#database.query<R>(sql, values, options);
  }

  async #relation(read: Read, { from }: CopyOutRequest): Promise<FoundRelation> {
    if ("query" in from) return from;
    const found = await findTable(read, from.table);
    if (found === undefined) throw await this.#unknown(from.table);
    return { ...found, table: from.table };
  }

  async #unknown(table: string): Promise<PermanentError> {
    return await unknownTable(this.#database.read, table, `the source ${this.address}`);
  }
}

function nameOf({ from }: CopyOutRequest): string {
  return "table" in from ? from.table : "a query";
}

/** Without it, a consumer that stops early would commit a part of the table as the whole. */
function unread(): PermanentError {
  return new PermanentError(
    "COPY_UNREAD",
    "the rows were not read to their end, so what was read proves nothing: read all blocks, or throw",
  );
}

async function exportSnapshot(session: Session): Promise<string> {
  const [result] = await session.run(dump.EXPORT_SNAPSHOT);
  return String(result?.rows[0]?.snapshot);
}

async function snapshotOf(read: Read): Promise<string> {
  const { rows } = await read<{ snapshot: string }>(
    "SELECT txid_current_snapshot()::text AS snapshot",
  );
  return rows[0]?.snapshot ?? "";
}
