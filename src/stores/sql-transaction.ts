/**
 * What the transactions of both dialects have in common, of those that execute and of those that only write
 * their statements down. What a load is, and how the catalog is looked at, is the dialect's.
 */
import type { QueryResult } from "pg";
import { PermanentError } from "../core/errors.ts";
import type { Column, Load, TableColumn, Transaction } from "../core/stores.ts";
import type { Session } from "./postgres/session.ts";

/** All steps in one transaction, or every statement in its own. */
export type Mode = Transaction["mode"];

/** A transaction that writes down its statements instead of executing them. */
export interface Printed extends Transaction {
  readonly statements: readonly string[];
}

/** Looks at the catalog, as a dialect makes them. */
export type CatalogLooks = Pick<
  Transaction,
  "dialect" | "describe" | "columnsOf" | "missingTypes" | "look"
>;

abstract class Looking implements CatalogLooks {
  readonly dialect: Transaction["dialect"];
  readonly mode: Mode;
  readonly #looks: CatalogLooks;

  constructor(looks: CatalogLooks, mode: Mode) {
    this.dialect = looks.dialect;
    this.mode = mode;
    this.#looks = looks;
  }

  async describe(table: string): Promise<readonly TableColumn[] | undefined> {
    return await this.#looks.describe(table);
  }

  async columnsOf(select: string): Promise<readonly Column[]> {
    return await this.#looks.columnsOf(select);
  }

  async missingTypes(pgTypes: readonly string[]): Promise<readonly string[]> {
    return await this.#looks.missingTypes(pgTypes);
  }

  async look(sql: string): Promise<readonly Record<string, unknown>[]> {
    return await this.#looks.look(sql);
  }
}

/** Executes, on one session. */
export abstract class ExecutingTransaction extends Looking implements Transaction {
  readonly printed = false;
  protected readonly session: Session;

  constructor(looks: CatalogLooks, session: Session, mode: Mode) {
    super(looks, mode);
    this.session = session;
  }

  async execute(sql: string): Promise<number> {
    const results = await this.run(sql);
    return results.reduce((rows, result) => rows + written(result), 0);
  }

  async select(sql: string): Promise<readonly Record<string, unknown>[]> {
    return (await this.run(sql)).at(-1)?.rows ?? [];
  }

  async expectCount(
    sql: string,
    expected: number,
    mismatch: (found: number) => Error,
  ): Promise<void> {
    const found = await this.number(sql);
    if (found !== expected) throw mismatch(found);
  }

  abstract load(load: Load): Promise<number>;

  /** The first column of the only row. */
  protected async number(sql: string): Promise<number> {
    const [row] = await this.select(sql);
    return Number(Object.values(row ?? {})[0]);
  }

  protected async run(sql: string): Promise<readonly QueryResult[]> {
    const results = await this.session.run(sql);
    requireTransaction(this.session, this.mode, results);
    return results;
  }
}

/** Writes down what would be executed. */
export abstract class PrintingTransaction extends Looking implements Printed {
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

  abstract load(load: Load): Promise<number>;
}

/** Throws when the user's SQL ended the transaction that it runs in, or began one in serial mode. */
function requireTransaction(session: Session, mode: Mode, results: readonly QueryResult[]): void {
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
function written({ command, rowCount }: QueryResult): number {
  return command === "SELECT" ? 0 : (rowCount ?? 0);
}
