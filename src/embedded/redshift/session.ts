/**
 * One client's session: its messages are taken in order, each answered before the next is looked at.
 * When the client is gone, the statement that runs goes on, as it does in Redshift.
 */

import type { Backend } from "./backend.ts";
import { ExtendedProtocol } from "./extended-protocol.ts";
import { SqlError } from "./sql-error.ts";
import type { StandIn } from "./stand-in.ts";
import { StatementRunner } from "./statement-runner.ts";
import { type Channel, ClosedError } from "./wire/channel.ts";
import { code, errorResponse, message, readText, typeOf } from "./wire/message.ts";
import { translate } from "./sql/translate.ts";
import type { Plan } from "./sql/plan.ts";

const EXTENDED = new Set(Array.from("PBDECHS", code));
const TERMINATE = message("X");

export class Session {
  readonly #client: Channel;
  readonly #backend: Backend;
  readonly #runner: StatementRunner;
  readonly #extended: ExtendedProtocol;

  constructor(standIn: StandIn, client: Channel, backend: Backend, database: string) {
    this.#client = client;
    this.#backend = backend;
    this.#runner = new StatementRunner(standIn, client, backend, database);
    this.#extended = new ExtendedProtocol(client, backend, this.#runner);
  }

  /** The client's wish to cancel what runs. */
  async cancel(): Promise<void> {
    await this.#runner.cancel();
  }

  /** Serves until the client, or Postgres, ends the session. */
  async serve(): Promise<void> {
    try {
      await this.#client.send(this.#backend.ready);
      for (;;) {
        const next = await this.#client.next();
        const type = typeOf(next);
        if (type === code("X")) return;
        if (EXTENDED.has(type)) await this.#extended.take(next);
        else if (type === code("Q")) await this.#simpleQuery(readText(next, 5)[0]);
        else if (type === code("F")) await this.#refuse("the function call protocol");
        // What is left belongs to a COPY that has ended: ignored, as the protocol says.
      }
    } catch (error) {
      if (!(error instanceof ClosedError)) throw error;
    } finally {
      await this.#backend.channel.send(TERMINATE).catch(() => {});
      this.#backend.channel.end();
      this.#client.end();
    }
  }

  async #refuse(what: string): Promise<void> {
    const { fields } = new SqlError("0A000", `${what} is not supported`);
    await this.#client.send(errorResponse(fields), this.#backend.ready);
  }

  async #simpleQuery(sql: string): Promise<void> {
    let plans: readonly Plan[];
    try {
      plans = translate(sql, this.#runner.facts);
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      plans = [{ kind: "refuse", error }];
    }
    if (plans.length === 0) await this.#client.send(message("I"));
    await this.#runner.runAll(plans);
    await this.#client.send(this.#backend.ready);
  }
}
