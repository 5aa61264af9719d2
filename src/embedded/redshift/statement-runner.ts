/**
 * Carries out plans, one after the other, on the client's own Postgres session. Several statements of
 * one message are one transaction unless they say otherwise, as in Postgres.
 */

import { type Backend, BackendError } from "./backend.ts";
import { load } from "./load/load.ts";
import type { Plan, SessionFacts } from "./sql/plan.ts";
import { inRedshiftsWords } from "./redshifts-words.ts";
import { SqlError } from "./sql-error.ts";
import type { StandIn } from "./stand-in.ts";
import { unload } from "./unload/unload.ts";
import { type Channel, ClosedError } from "./wire/channel.ts";
import {
  code,
  commandComplete,
  errorResponse,
  info,
  type Message,
  typeOf,
} from "./wire/message.ts";

/** Nothing to do for Postgres, except to refuse in a failed transaction. */
export const NOTHING = "DO $$ BEGIN END $$";

const FAILURE = "DO $$ BEGIN RAISE EXCEPTION 'refused by the stand-in'; END $$";

/** What a job on S3 works with. */
export interface Job {
  readonly standIn: StandIn;
  readonly backend: Backend;
  readonly database: string;
  /** Aborted when the client cancels. */
  readonly signal: AbortSignal;
}

export class StatementRunner {
  readonly #standIn: StandIn;
  readonly #client: Channel;
  readonly #backend: Backend;
  readonly #database: string;
  #job: AbortController | undefined;
  facts: SessionFacts = {
    lastCopyId: "-1",
    lastCopyCount: 0,
    lastUnloadId: "-1",
    lastUnloadCount: 0,
  };

  constructor(standIn: StandIn, client: Channel, backend: Backend, database: string) {
    this.#standIn = standIn;
    this.#client = client;
    this.#backend = backend;
    this.#database = database;
  }

  /** Ends a job of ours at its next step; anything else is for Postgres to cancel. */
  async cancel(): Promise<void> {
    if (this.#job === undefined) await this.#backend.cancel();
    else this.#job.abort(new SqlError("57014", "canceling statement due to user request"));
  }

  /** Sends the answers of all plans, without a ReadyForQuery. Stops at the first error. */
  async runAll(plans: readonly Plan[]): Promise<void> {
    const together = plans.length > 1;
    let implicit = false;
    for (const plan of plans) {
      if (together && this.#backend.status === "I" && !controlsTransaction(plan)) {
        await this.#quietly("BEGIN");
        implicit = true;
      }
      if (controlsTransaction(plan)) implicit = false;
      if (!(await this.run(plan))) {
        if (implicit) await this.#quietly("ROLLBACK");
        return;
      }
      if (this.#backend.status === "I") implicit = false;
    }
    if (implicit) {
      const failure = await this.#attempt(() => this.#backend.rows("COMMIT"));
      if (failure !== undefined) await this.#tell(errorResponse(failure));
    }
  }

  /** The fields of Postgres's error, as the client is to see them. */
  failureOf(response: Message): ReadonlyMap<string, string> {
    return inRedshiftsWords(new BackendError(response));
  }

  /** Throws when a write to the plan's table is to fail. */
  checkConflict(plan: Plan): void {
    if ((plan.kind === "forward" || plan.kind === "truncate") && plan.writes !== undefined) {
      this.#standIn.conflicts.check(plan.writes, this.#backend.pid);
    }
  }

  /** Whether it succeeded; if not, the client has been told. */
  async run(plan: Plan): Promise<boolean> {
    const failure = await this.#attempt(() => this.#carryOut(plan));
    if (failure === undefined) return true;
    await this.#tell(errorResponse(failure));
    return false;
  }

  /** The fields of the error that the client is to see, if there was one. */
  async #attempt(work: () => Promise<unknown>): Promise<ReadonlyMap<string, string> | undefined> {
    try {
      await work();
      return undefined;
    } catch (error) {
      if (error instanceof ClosedError) throw error;
      if (error instanceof BackendError) return inRedshiftsWords(error);
      const ours = error instanceof SqlError ? error : new SqlError("XX000", String(error));
      return await this.#fail(ours);
    }
  }

  /** Makes Postgres fail too, so that the transaction is in the state that the client expects. */
  async #fail(error: SqlError): Promise<ReadonlyMap<string, string>> {
    if (this.#backend.status === "T") {
      await this.#backend.run(FAILURE, () => {});
    }
    return error.fields;
  }

  async #carryOut(plan: Plan): Promise<void> {
    // In a failed transaction that is the only answer, and Postgres gives it.
    if (this.#backend.status === "E" && plan.kind !== "forward") await this.#backend.rows(NOTHING);
    switch (plan.kind) {
      case "refuse":
        throw plan.error;
      case "forward":
        this.checkConflict(plan);
        return await this.#forward(plan.sql, plan);
      case "truncate":
        this.checkConflict(plan);
        await this.#forward(plan.sql, {});
        if (this.#backend.status === "T") await this.#backend.rows("COMMIT");
        return;
      case "alone":
        if (this.#backend.status !== "I") {
          throw new SqlError("25001", `${plan.tag} cannot run inside a transaction block`);
        }
        return await this.#forward(plan.sql, plan);
      case "conflict":
        await this.#forward(NOTHING, { tag: "CALL" });
        this.#standIn.conflicts.plan(plan.table, plan.times);
        return;
      case "copy":
      case "unload":
        return await this.#transfer(plan);
    }
  }

  async #transfer(plan: Extract<Plan, { readonly kind: "copy" | "unload" }>): Promise<void> {
    // In a failed transaction Postgres says so, before anything is read from S3.
    const [row] = await this.#backend.rows("SELECT nextval('sluice_standin.query_id')");
    const queryId = row?.[0] ?? "0";
    this.#job = new AbortController();
    const job: Job = {
      standIn: this.#standIn,
      backend: this.#backend,
      database: this.#database,
      signal: this.#job.signal,
    };
    try {
      if (plan.kind === "unload") {
        const rows = await unload(job, plan.statement, queryId);
        this.facts = { ...this.facts, lastUnloadId: queryId, lastUnloadCount: rows };
        await this.#tell(
          info(`UNLOAD completed, ${rows} record(s) unloaded successfully.`),
          commandComplete("UNLOAD"),
        );
        return;
      }
      this.#standIn.conflicts.check(plan.statement.table.join("."), this.#backend.pid);
      this.facts = { ...this.facts, lastCopyId: queryId, lastCopyCount: 0 };
      const { rows, rejected } = await load(job, plan.statement, queryId);
      this.facts = { ...this.facts, lastCopyCount: rows };
      const name = plan.statement.table.at(-1) ?? "";
      await this.#tell(
        info(`Load into table '${name}' completed, ${rows} record(s) loaded successfully.`),
        ...(rejected === 0
          ? []
          : [
              info(
                `Load into table '${name}' completed, ${rejected} record(s) could not be loaded.  Check 'stl_load_errors' system table for details.`,
              ),
            ]),
        commandComplete("COPY"),
      );
    } finally {
      this.#job = undefined;
    }
  }

  async #forward(
    sql: string,
    { tag, resultAt = 0 }: { readonly tag?: string; readonly resultAt?: number },
  ): Promise<void> {
    let failure: BackendError | undefined;
    let result = 0;
    await this.#backend.run(sql, async (message) => {
      const type = typeOf(message);
      if (type === code("E")) failure = new BackendError(message);
      else if (result < resultAt) result += Number(type === code("C"));
      else if (type === code("C") && tag !== undefined) await this.#tell(commandComplete(tag));
      else await this.#tell(message);
    });
    if (failure !== undefined) throw failure;
  }

  async #quietly(sql: string): Promise<void> {
    await this.#backend.rows(sql);
  }

  /** When the client is gone, what runs goes on and nobody is told. */
  async #tell(...messages: readonly Message[]): Promise<void> {
    await this.#client.send(...messages).catch((error: unknown) => {
      if (!(error instanceof ClosedError)) throw error;
    });
  }
}

function controlsTransaction(plan: Plan): boolean {
  return (
    plan.kind === "forward" && /^(begin|start|commit|end|abort|rollback)\b/i.test(plan.sql.trim())
  );
}
