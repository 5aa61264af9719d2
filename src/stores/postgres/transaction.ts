/** What steps of `atomically` work with: one open transaction on one session. */
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { DatabaseError, type QueryResult } from "pg";
import { PermanentError } from "../../core/errors.ts";
import type { Column, Load, LoadFile, TableColumn, Transaction } from "../../core/stores.ts";
import { COPY_JSON, CREATE_JSON_STAGE, insertJson } from "../../sql/postgres/json.ts";
import { copyIn } from "../../sql/postgres/write.ts";
import type { Mode, Printed } from "../sql-warehouse.ts";
import { columnsOfQuery, columnsOfTable, findTable, missingTypes } from "./catalog.ts";
import type { Read } from "./database.ts";
import type { Session } from "./session.ts";

/** The looks at the catalog, the same for a transaction that runs and for one that is printed. */
abstract class CatalogLooks {
  readonly dialect = "postgres";
  readonly mode: Mode;
  readonly #read: Read;

  constructor(read: Read, mode: Mode) {
    this.#read = read;
    this.mode = mode;
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

  async look(sql: string): Promise<readonly Record<string, unknown>[]> {
    return (await this.#read(sql)).rows;
  }
}

/** Executes. */
export class OpenTransaction extends CatalogLooks implements Transaction {
  readonly printed = false;
  readonly #session: Session;
  readonly #signal: AbortSignal;

  constructor(session: Session, signal: AbortSignal, mode: Mode) {
    super((sql, values) => session.read(sql, values), mode);
    this.#session = session;
    this.#signal = signal;
  }

  async execute(sql: string): Promise<number> {
    const results = await this.#session.run(sql);
    requireTransaction(this.#session, this.mode, results);
    return results.reduce((rows, result) => rows + written(result), 0);
  }

  async select(sql: string): Promise<readonly Record<string, unknown>[]> {
    const results = await this.#session.run(sql);
    requireTransaction(this.#session, this.mode, results);
    return results.at(-1)?.rows ?? [];
  }

  async expectCount(
    sql: string,
    expected: number,
    mismatch: (found: number) => Error,
  ): Promise<void> {
    const [row] = await this.select(sql);
    const found = Number(Object.values(row ?? {})[0]);
    if (found !== expected) throw mismatch(found);
  }

  async load(load: Load): Promise<number> {
    const { before, copy, after } = loadStatements(load);
    for (const sql of before) await this.execute(sql);
    let rows = 0;
    for (const file of load.files) {
      rows += await this.#copyIn(copy, file);
      load.progress?.({ rows });
    }
    for (const sql of after) await this.execute(sql);
    return rows;
  }

  async #copyIn(sql: string, file: LoadFile): Promise<number> {
    const copy = this.#session.copyIn(sql);
    const bytes: Readable = file.open();
    try {
      await pipeline(bytes, copy, { signal: this.#signal });
    } catch (error) {
      throw inFile(error, file.from);
    }
    if (file.rows !== undefined && copy.rowCount !== file.rows) {
      throw new PermanentError(
        "ROW_COUNT_MISMATCH",
        `${file.from}: the manifest promises ${file.rows} rows, the warehouse took ${copy.rowCount}. Nothing was committed. Dump the table again.`,
      );
    }
    return copy.rowCount;
  }
}

/** Writes down what would be executed. */
export class PrintedTransaction extends CatalogLooks implements Printed {
  readonly printed = true;
  readonly statements: string[] = [];

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
    const { before, copy, after } = loadStatements(load);
    this.statements.push(...before, ...load.files.map(() => copy), ...after);
    return 0;
  }
}

/** `copy` is for each file. */
function loadStatements({ table, columns, format }: Load) {
  return format.type === "csv"
    ? { before: [], copy: copyIn(table, columns, format.null), after: [] }
    : { before: [CREATE_JSON_STAGE], copy: COPY_JSON, after: [insertJson(table, columns)] };
}

/** Throws when the user's SQL ended the transaction that it runs in, or began one in serial mode. */
export function requireTransaction(
  session: Session,
  mode: Mode,
  results: readonly QueryResult[],
): void {
  const open = session.inTransaction();
  if (mode === "serial" ? !open : open && !results.some(endsTransaction)) return;
  throw new PermanentError(
    "TRANSACTION_ENDED",
    "the SQL ended the transaction it runs in, or began one of its own: COMMIT, ROLLBACK and BEGIN belong to atomically(), which writes the marker with the rows",
  );
}

function endsTransaction({ command }: QueryResult): boolean {
  return command === "COMMIT" || command === "ROLLBACK" || command === "BEGIN";
}

/** A SELECT has a row count too, but writes none. */
export function written({ command, rowCount }: QueryResult): number {
  return command === "SELECT" ? 0 : (rowCount ?? 0);
}

/** Postgres says the line; only we know the file. */
function inFile(error: unknown, file: string): unknown {
  if (error instanceof DatabaseError) error.where = `${file}: ${error.where ?? ""}`;
  return error;
}
