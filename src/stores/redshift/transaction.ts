/** What steps work with on Redshift: one open transaction on one session, all by the simple protocol. */
import type { QueryResult } from "pg";
import { PermanentError, SluiceError } from "../../core/errors.ts";
import type { Column, Load, TableColumn, Transaction } from "../../core/stores.ts";
import { masked } from "../../sql/redshift/authorization.ts";
import { LAST_COPY_COUNT } from "../../sql/redshift/catalog.ts";
import { copyFrom, type S3Access } from "../../sql/redshift/copy.ts";
import type { Session } from "../postgres/session.ts";
import { requireTransaction, written } from "../postgres/transaction.ts";
import type { Mode, Printed } from "../sql-warehouse.ts";
import { columnsOfQuery, columnsOfTable, type Run } from "./catalog.ts";
import { explainLoad } from "./load-error.ts";

abstract class CatalogLooks {
  readonly dialect = "redshift";
  readonly mode: Mode;
  readonly #run: Run;

  constructor(run: Run, mode: Mode) {
    this.#run = run;
    this.mode = mode;
  }

  async describe(table: string): Promise<readonly TableColumn[] | undefined> {
    return await columnsOfTable(this.#run, table);
  }

  async columnsOf(select: string): Promise<readonly Column[]> {
    return await columnsOfQuery(this.#run, select);
  }

  /** What Redshift holds a Postgres type as is the type map's to say, before the dump. */
  async missingTypes(): Promise<readonly string[]> {
    return [];
  }

  async look(sql: string): Promise<readonly Record<string, unknown>[]> {
    return (await this.#run(sql)).rows;
  }
}

/**
 * Executes. Until it executed something, it sees what everybody sees, so it looks by way of another
 * session: a look of its own would take the snapshot before LOCK, and then the rows that the former holder
 * of the lock committed would not be seen, and be doubled.
 */
export class OpenTransaction extends CatalogLooks implements Transaction {
  readonly printed = false;
  readonly #session: Session;
  readonly #access: S3Access;
  #began = false;

  constructor(session: Session, aside: Run, access: S3Access, mode: Mode) {
    super((statement) => (this.#began ? only(session, statement) : aside(statement)), mode);
    this.#session = session;
    this.#access = access;
  }

  async execute(sql: string): Promise<number> {
    this.#began = true;
    const results = await this.#session.run(sql);
    requireTransaction(this.#session, this.mode, results);
    return results.reduce((rows, result) => rows + written(result), 0);
  }

  async select(sql: string): Promise<readonly Record<string, unknown>[]> {
    this.#began = true;
    const results = await this.#session.run(sql);
    requireTransaction(this.#session, this.mode, results);
    return results.at(-1)?.rows ?? [];
  }

  async expectCount(
    sql: string,
    expected: number,
    mismatch: (found: number) => Error,
  ): Promise<void> {
    const found = await this.#number(sql);
    if (found !== expected) throw mismatch(found);
  }

  /** One COPY for all files: Redshift's slices share them out. */
  async load(load: Load): Promise<number> {
    if (load.files.length === 0) return 0;
    this.#began = true;
    const run: Run = (statement) => only(this.#session, statement);
    try {
      await run(copyFrom(load, this.#access));
    } catch (error) {
      throw await explainLoad(error, load.table, run);
    }
    const rows = await this.#number(LAST_COPY_COUNT);
    if (load.rows !== undefined && rows !== load.rows) {
      throw new PermanentError(
        "ROW_COUNT_MISMATCH",
        `${load.manifest}: the manifest promises ${load.rows} rows, the warehouse took ${rows}. Nothing was committed. Dump the table again.`,
      );
    }
    load.progress?.({ rows });
    return rows;
  }

  async #number(sql: string): Promise<number> {
    const [row] = await this.select(sql);
    return Number(Object.values(row ?? {})[0]);
  }
}

/** Writes down what would be executed, with secrets masked. */
export class PrintedTransaction extends CatalogLooks implements Printed {
  readonly printed = true;
  readonly statements: string[] = [];
  readonly #access: S3Access;

  constructor(run: Run, access: S3Access, mode: Mode) {
    super(run, mode);
    this.#access = { ...access, authorization: masked(access.authorization) };
  }

  async execute(sql: string): Promise<number> {
    this.statements.push(sql);
    return 0;
  }

  async select(sql: string): Promise<undefined> {
    this.statements.push(sql);
  }

  async expectCount(sql: string): Promise<void> {
    this.statements.push(sql);
  }

  async load(load: Load): Promise<number> {
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
