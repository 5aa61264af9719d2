/** What steps of `atomically` work with: one open transaction on one session. */
import type { QueryResult } from "pg";
import { PermanentError, SluiceError } from "../../core/errors.ts";
import type { Column, Load, TableColumn, Transaction } from "../../core/stores.ts";
import { COPY_JSON, CREATE_JSON_STAGE, insertJson } from "../../sql/postgres/json.ts";
import { copyIn } from "../../sql/postgres/write.ts";
import type { Mode, Printed } from "../sql-warehouse.ts";
import { columnsOfQuery, columnsOfTable, findTable, missingTypes } from "./catalog.ts";
import type { Read } from "./database.ts";
import { copyFiles, shareFiles, type Stage, stageIdentity, together } from "./load-files.ts";
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

/** What a load by several sessions needs beside the transaction's own. */
export interface FurtherSessions {
  readonly updateId: string;
  /** Tables that the other sessions committed, by name, and which one it was. */
  readonly stages: Map<string, string>;
  inSession<T>(signal: AbortSignal, work: (session: Session) => Promise<T>): Promise<T>;
}

/** Executes. */
export class OpenTransaction extends CatalogLooks implements Transaction {
  readonly printed = false;
  readonly #session: Session;
  readonly #signal: AbortSignal;
  readonly #further: FurtherSessions;

  constructor(session: Session, signal: AbortSignal, mode: Mode, further: FurtherSessions) {
    super((sql, values) => session.read(sql, values), mode);
    this.#session = session;
    this.#signal = signal;
    this.#further = further;
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
    const { own, stages } = await shareFiles(this, load, this.#further.updateId);
    for (const sql of before) await this.execute(sql);
    let sent = 0;
    const report = (rows: number): void => load.progress?.({ rows: (sent += rows) });
    const [rows = 0, ...staged] = await together(this.#signal, [
      (signal) => copyFiles(this.#session, copy, own, signal, report),
      ...stages.map((stage) => (signal: AbortSignal) => this.#fill(stage, signal, report)),
    ]);
    for (const sql of after) await this.execute(sql);
    for (const [index, { name, insert, drop }] of stages.entries()) {
      const taken = await this.execute(insert);
      if (taken !== staged[index]) throw stageChanged(name, staged[index], taken);
      await this.execute(drop);
    }
    return staged.reduce((sum, count) => sum + count, rows);
  }

  /** Fills a stage on a session of its own, and commits it: then this transaction can read it. */
  async #fill(
    { name, open, copy, files }: Stage,
    signal: AbortSignal,
    report: (rows: number) => void,
  ): Promise<number> {
    return await this.#further.inSession(signal, async (session) => {
      for (const sql of open) await session.run(sql);
      const rows = await copyFiles(session, copy, files, signal, report);
      this.#further.stages.set(
        name,
        await stageIdentity((...query) => session.read(...query), name),
      );
      await session.run("COMMIT");
      return rows;
    });
  }
}

/** Writes down what would be executed. */
export class PrintedTransaction extends CatalogLooks implements Printed {
  readonly printed = true;
  readonly statements: string[] = [];
  readonly #updateId: string;

  constructor(read: Read, mode: Mode, updateId: string) {
    super(read, mode);
    this.#updateId = updateId;
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
    const { before, copy, after } = loadStatements(load);
    const { own, stages } = await shareFiles(this, load, this.#updateId);
    this.statements.push(...before);
    for (const { open, copy, files } of stages) {
      this.statements.push(...open, ...files.map(() => copy), "COMMIT");
    }
    this.statements.push(...own.map(() => copy), ...after);
    for (const { insert, drop } of stages) this.statements.push(insert, drop);
    return 0;
  }
}

function stageChanged(stage: string, filled = 0, taken: number): SluiceError {
  return new SluiceError(
    "STAGE_CHANGED",
    `${stage} was filled with ${filled} rows and had ${taken} when they were taken over: another attempt is at it. Nothing was committed.`,
  );
}

/** `copy` is for each file. */
function loadStatements({ table, columns, format }: Load) {
  if (format.type === "parquet" || (format.type === "json" && format.paths !== undefined)) {
    throw new PermanentError(
      "FORMAT_UNSUPPORTED",
      `${table}: Postgres cannot load ${format.type === "parquet" ? "Parquet" : "JSON by JSONPaths"}: only Redshift can. Write CSV, or JSON whose keys are the columns.`,
      { fields: { table } },
    );
  }
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
