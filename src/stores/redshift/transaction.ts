/** What steps work with on Redshift: one open transaction on one session, all by the simple protocol. */
import type { QueryResult } from "pg";
import { PermanentError, SluiceError } from "../../core/errors.ts";
import type { Load } from "../../core/stores.ts";
import { masked } from "../../sql/redshift/authorization.ts";
import { LAST_COPY_COUNT } from "../../sql/redshift/catalog.ts";
import { copyFrom, type S3Access } from "../../sql/redshift/copy.ts";
import type { Session } from "../postgres/session.ts";
import {
  type CatalogLooks,
  ExecutingTransaction,
  type Mode,
  PrintingTransaction,
} from "../sql-transaction.ts";
import { columnsOfQuery, columnsOfTable, type Run } from "./catalog.ts";
import { explainLoad } from "./load-error.ts";

function catalogLooks(run: Run): CatalogLooks {
  return {
    dialect: "redshift",
    describe: (table) => columnsOfTable(run, table),
    columnsOf: (select) => columnsOfQuery(run, select),
    // What Redshift holds a Postgres type as is the type map's to say, before the dump.
    missingTypes: async () => [],
    look: async (sql) => (await run(sql)).rows,
  };
}

/**
 * Executes. Until it executed something, it sees what everybody sees, so it looks by way of another
 * session: a look of its own would take the snapshot before LOCK, and then the rows that the former holder
 * of the lock committed would not be seen, and be doubled.
 */
export class OpenTransaction extends ExecutingTransaction {
  readonly #access: S3Access;
  #began = false;

  constructor(session: Session, aside: Run, access: S3Access, mode: Mode) {
    const look: Run = (sql) => (this.#began ? only(session, sql) : aside(sql));
    super(catalogLooks(look), session, mode);
    this.#access = access;
  }

  protected override async run(sql: string): Promise<readonly QueryResult[]> {
    this.#began = true;
    return await super.run(sql);
  }

  /** One COPY for all files: Redshift's slices share them out. */
  override async load(load: Load): Promise<number> {
    if (load.files.length === 0) return 0;
    this.#began = true;
    const run: Run = (statement) => only(this.session, statement);
    try {
      await run(copyFrom(load, this.#access));
    } catch (error) {
      throw await explainLoad(error, load.table, run);
    }
    const rows = await this.number(LAST_COPY_COUNT);
    if (load.rows !== undefined && rows !== load.rows) {
      throw new PermanentError(
        "ROW_COUNT_MISMATCH",
        `${load.manifest}: the manifest promises ${load.rows} rows, the warehouse took ${rows}. Nothing was committed. Dump the table again.`,
      );
    }
    load.progress?.({ rows });
    return rows;
  }
}

/** Writes down what would be executed, with secrets masked. */
export class PrintedTransaction extends PrintingTransaction {
  readonly #access: S3Access;

  constructor(run: Run, access: S3Access, mode: Mode) {
    super(catalogLooks(run), mode);
    this.#access = { ...access, authorization: masked(access.authorization) };
  }

  override async load(load: Load): Promise<number> {
    if (load.files.length > 0) this.statements.push(copyFrom(load, this.#access), LAST_COPY_COUNT);
    return 0;
  }
}

/** The result of one statement. */
export async function only(session: Session, statement: string): Promise<QueryResult> {
  const [result] = await session.run(statement);
  if (result === undefined) throw new SluiceError("NO_ANSWER", "a statement was not answered");
  return result;
}
