/** What steps of `atomically` work with: one open transaction on one session. */
import { PermanentError, SluiceError } from "../../core/errors.ts";
import type { Load } from "../../core/stores.ts";
import { COPY_JSON, CREATE_JSON_STAGE, insertJson } from "../../sql/postgres/json.ts";
import { copyIn } from "../../sql/postgres/write.ts";
import {
  type CatalogLooks,
  ExecutingTransaction,
  type Mode,
  PrintingTransaction,
} from "../sql-transaction.ts";
import { columnsOfQuery, columnsOfTable, findTable, missingTypes } from "./catalog.ts";
import type { Read } from "./database.ts";
import { copyFiles, shareFiles, type Stage, stageIdentity, together } from "./load-files.ts";
import type { Session } from "./session.ts";

/** The same for a transaction that runs and for one that is printed. */
function catalogLooks(read: Read): CatalogLooks {
  return {
    dialect: "postgres",
    describe: async (table) => {
      const found = await findTable(read, table);
      return found && (await columnsOfTable(read, found.oid));
    },
    columnsOf: (select) => columnsOfQuery(read, select),
    missingTypes: (pgTypes) => missingTypes(read, pgTypes),
    look: async (sql) => (await read(sql)).rows,
  };
}

/** What a load by several sessions needs beside the transaction's own. */
export interface FurtherSessions {
  readonly updateId: string;
  /** Tables that the other sessions committed, by name, and which one it was. */
  readonly stages: Map<string, string>;
  inSession<T>(signal: AbortSignal, work: (session: Session) => Promise<T>): Promise<T>;
}

/** Executes. */
export class OpenTransaction extends ExecutingTransaction {
  readonly #signal: AbortSignal;
  readonly #further: FurtherSessions;

  constructor(session: Session, signal: AbortSignal, mode: Mode, further: FurtherSessions) {
    super(
      catalogLooks((sql, values) => session.read(sql, values)),
      session,
      mode,
    );
    this.#signal = signal;
    this.#further = further;
  }

  override async load(load: Load): Promise<number> {
    const { before, copy, after } = loadStatements(load);
    const { own, stages } = await shareFiles(this, load, this.#further.updateId);
    for (const sql of before) await this.execute(sql);
    let sent = 0;
    const report = (rows: number): void => load.progress?.({ rows: (sent += rows) });
    const [rows = 0, ...staged] = await together(this.#signal, [
      (signal) => copyFiles(this.session, copy, own, signal, report),
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
export class PrintedTransaction extends PrintingTransaction {
  readonly #updateId: string;

  constructor(read: Read, mode: Mode, updateId: string) {
    super(catalogLooks(read), mode);
    this.#updateId = updateId;
  }

  override async load(load: Load): Promise<number> {
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
