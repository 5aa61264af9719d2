/** What steps of `atomically` work with: one open transaction on one session. */
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { DatabaseError, type QueryResult } from "pg";
import { PermanentError } from "../../core/errors.ts";
import type { Column, CopyIn, TableColumn, Transaction } from "../../core/stores.ts";
import { columnsOfQuery, columnsOfTable, findTable, missingTypes } from "./catalog.ts";
import type { Read } from "./database.ts";
import type { Session } from "./session.ts";

/** The looks at the catalog, the same for a transaction that runs and for one that is printed. */
abstract class CatalogLooks {
  readonly dialect = "postgres";
  readonly #read: Read;

  constructor(read: Read) {
    this.#read = read;
  }

  async describe(table: string): Promise<readonly TableColumn[] | undefined> {
    const found = await findTable(this.#read, table);
    return found && (await columnsOfTable(this.#read, found.oid));
  }

  async columnsOf(select: string): Promise<readonly Column[]> {
    return await columnsOfQuery(this.#read, select);
  }

  async missingTypes(pgTypes: readonly string[]): Promise<readonly string[]> {
    return await missingTypes(this.#read, pgTypes);
  }
}

/** Executes. */
export class OpenTransaction extends CatalogLooks implements Transaction {
  readonly #session: Session;
  readonly #signal: AbortSignal;

  constructor(session: Session, signal: AbortSignal) {
    super((sql, values) => session.read(sql, values));
    this.#session = session;
    this.#signal = signal;
  }

  async execute(sql: string): Promise<number> {
    const results = await this.#session.run(sql);
    if (!this.#session.inTransaction() || results.some(endsTransaction)) {
      throw new PermanentError(
        "TRANSACTION_ENDED",
        "the SQL ended the transaction it runs in: COMMIT, ROLLBACK and BEGIN belong to atomically(), which writes the marker with the rows",
      );
    }
    return results.reduce((rows, result) => rows + written(result), 0);
  }

  async expectCount(
    sql: string,
    expected: number,
    mismatch: (found: number) => Error,
  ): Promise<void> {
    const [result] = await this.#session.run(sql);
    const [row]: Record<string, unknown>[] = result?.rows ?? [];
    const found = Number(Object.values(row ?? {})[0]);
    if (found !== expected) throw mismatch(found);
  }

  async copyIn(sql: string, input: CopyIn): Promise<number> {
    const copy = this.#session.copyIn(sql);
    const bytes: Readable = input.open();
    try {
      await pipeline(bytes, copy, { signal: this.#signal });
    } catch (error) {
      throw inFile(error, input.from);
    }
    if (copy.rowCount !== input.rows) {
      throw new PermanentError(
        "ROW_COUNT_MISMATCH",
        `${input.from}: the manifest promises ${input.rows} rows, the warehouse took ${copy.rowCount}. Nothing was committed. Dump the table again.`,
      );
    }
    return copy.rowCount;
  }
}

/** Writes down what would be executed. */
export class PrintedTransaction extends CatalogLooks implements Transaction {
  readonly statements: string[] = [];

  async execute(sql: string): Promise<number> {
    this.statements.push(sql);
    return 0;
  }

  async expectCount(sql: string): Promise<void> {
    this.statements.push(sql);
  }

  async copyIn(sql: string): Promise<number> {
    this.statements.push(sql);
    return 0;
  }
}

function endsTransaction({ command }: QueryResult): boolean {
  return command === "COMMIT" || command === "ROLLBACK" || command === "BEGIN";
}

/** A SELECT has a row count too, but writes none. */
function written({ command, rowCount }: QueryResult): number {
  return command === "SELECT" ? 0 : (rowCount ?? 0);
}

/** Postgres says the line; only we know the file. */
function inFile(error: unknown, file: string): unknown {
  if (error instanceof DatabaseError) error.where = `${file}: ${error.where ?? ""}`;
  return error;
}
