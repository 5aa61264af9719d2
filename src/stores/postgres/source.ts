/** Postgres as the database that tables are dumped from. It only ever reads. */
import { PermanentError } from "../../core/errors.ts";
import type {
  Abort,
  Column,
  CopyOut,
  CopyOutRequest,
  Source,
  TableColumn,
} from "../../core/stores.ts";
import * as dump from "../../sql/postgres/dump.ts";
import { columnsOfQuery, columnsOfTable, findTable, unknownTable } from "./catalog.ts";
import type { Read, SqlDatabase } from "./database.ts";

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
    const { signal, label = "sluice dump" } = request;
    const doing = `dump of ${nameOf(request)}`;
    return await this.#database.explained({ doing, signal }, () =>
      this.#database.inSession({ label, signal }, async (session) => {
        const read: Read = (sql, values) => session.read(sql, values);
        const relation = await this.#relation(read, request);
        for (const statement of dump.openDump(relation)) await session.run(statement);
        const columns = await columnsOf(read, relation, request);
        const { rows } = await read<{ snapshot: string }>(
          "SELECT txid_current_snapshot()::text AS snapshot",
        );
        const blocks = session.copyOut(dump.copyOut(relation, columns, request.nullText));
        const result = await consume({ columns, snapshot: rows[0]?.snapshot ?? "", blocks });
        if (!blocks.readableEnded) throw unread();
        await session.run("COMMIT");
        return result;
      }),
    );
  }

  async copyOutStatements(request: CopyOutRequest): Promise<readonly string[]> {
    const doing = `look at ${nameOf(request)}`;
    return await this.#database.explained({ doing, signal: request.signal }, async () => {
      const relation = await this.#relation(this.#database.read, request);
      const columns = await columnsOf(this.#database.read, relation, request);
      return [
        ...dump.openDump(relation),
        dump.copyOut(relation, columns, request.nullText),
        "COMMIT",
      ];
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

type FoundRelation =
  | { readonly table: string; readonly lockable: boolean; readonly oid: number }
  | { readonly query: string };

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

/** Asked inside the dump's transaction, so that no change of the table comes between. */
async function columnsOf(
  read: Read,
  relation: FoundRelation,
  { project = (all) => all }: CopyOutRequest,
): Promise<readonly Column[]> {
  const columns =
    "query" in relation
      ? await columnsOfQuery(read, relation.query)
      : await columnsOfTable(read, relation.oid);
  const names = columns.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (columns.length === 0 || twice !== undefined) {
    throw new PermanentError(
      "COLUMNS_INVALID",
      twice === undefined
        ? "there are no columns to dump"
        : `two columns of the query are called ${JSON.stringify(twice)}: give each a name of its own`,
    );
  }
  return project(columns.map(({ name, pgType }) => ({ name, pgType })));
}
