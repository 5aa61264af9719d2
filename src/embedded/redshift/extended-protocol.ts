/**
 * The extended protocol. Statements that Postgres can do go to it as they come; those that are the
 * stand-in's own are answered here: parsed and bound without Postgres, and run when executed. So
 * nothing of a COPY is ever mixed with messages that Postgres would swallow in COPY mode.
 */

import type { Backend } from "./backend.ts";
import type { StatementRunner } from "./statement-runner.ts";
import type { Plan } from "./sql/plan.ts";
import { translate } from "./sql/translate.ts";
import { SqlError } from "./sql-error.ts";
import type { Channel } from "./wire/channel.ts";
import {
  code,
  errorResponse,
  type Message,
  message,
  readText,
  text,
  typeOf,
} from "./wire/message.ts";

const PARSED = message("1");
const BOUND = message("2");
const CLOSED = message("3");
const NO_DATA = message("n");
const NO_PARAMETERS = message("t", Buffer.alloc(2));
const SYNC = message("S");

/** Plans that Postgres carries out as it would any statement of its own. */
function isPlain(plan: Plan): plan is Extract<Plan, { readonly kind: "forward" }> {
  return plan.kind === "forward" && plan.tag === undefined && plan.resultAt === undefined;
}

export class ExtendedProtocol {
  readonly #client: Channel;
  readonly #backend: Backend;
  readonly #runner: StatementRunner;
  /** By name; those that Postgres knows are not in here. */
  readonly #statements = new Map<string, Plan>();
  readonly #portals = new Map<string, Plan>();
  /** Answers that Postgres owes us. */
  #owed = 0;
  /** Messages went to Postgres since its last Sync. */
  #unsynced = false;
  /** After an error, everything up to the next Sync is skipped. */
  #skipping = false;

  constructor(client: Channel, backend: Backend, runner: StatementRunner) {
    this.#client = client;
    this.#backend = backend;
    this.#runner = runner;
  }

  async take(bytes: Message): Promise<void> {
    const type = typeOf(bytes);
    if (type === code("S")) return await this.#sync(bytes);
    if (this.#skipping) return;
    switch (type) {
      case code("P"):
        return await this.#parse(bytes);
      case code("B"):
        return await this.#bind(bytes);
      case code("D"):
        return await this.#describe(bytes);
      case code("E"):
        return await this.#execute(bytes);
      case code("C"):
        return await this.#close(bytes);
      case code("H"):
        await this.#forward(bytes, 0);
        return await this.#settle();
      default:
    }
  }

  async #parse(bytes: Message): Promise<void> {
    const [name, sqlAt] = readText(bytes, 5);
    const [sql, rest] = readText(bytes, sqlAt);
    const plan = this.#planOf(sql, name);
    if (plan === undefined || isPlain(plan)) {
      this.#statements.delete(name);
      const parse = message("P", text(name), text(plan?.sql ?? ""), bytes.subarray(rest));
      return await this.#forward(parse, 1);
    }
    if (plan.kind === "refuse") return await this.#run(plan);
    await this.#barrier();
    this.#statements.set(name, plan);
    await this.#client.send(PARSED);
  }

  /** Undefined for an empty statement. */
  #planOf(sql: string, name: string): Plan | undefined {
    try {
      const plans = translate(sql, this.#runner.facts, { prepared: name !== "" });
      if (plans.length > 1) {
        throw new SqlError("42601", "cannot insert multiple commands into a prepared statement");
      }
      const [plan] = plans;
      if (plan !== undefined) this.#runner.checkConflict(plan);
      return plan;
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      return { kind: "refuse", error };
    }
  }

  async #bind(bytes: Message): Promise<void> {
    const [portal, statementAt] = readText(bytes, 5);
    const [statement] = readText(bytes, statementAt);
    const plan = this.#statements.get(statement);
    if (plan === undefined) {
      this.#portals.delete(portal);
      return await this.#forward(bytes, 1);
    }
    await this.#barrier();
    this.#portals.set(portal, plan);
    await this.#client.send(BOUND);
  }

  async #describe(bytes: Message): Promise<void> {
    const ofStatement = bytes[5] === code("S");
    const [name] = readText(bytes, 6);
    if (!(ofStatement ? this.#statements : this.#portals).has(name)) {
      // A statement is described by two messages: its parameters, then its rows.
      return await this.#forward(bytes, ofStatement ? 2 : 1);
    }
    await this.#barrier();
    await this.#client.send(...(ofStatement ? [NO_PARAMETERS] : []), NO_DATA);
  }

  async #execute(bytes: Message): Promise<void> {
    const [portal] = readText(bytes, 5);
    const plan = this.#portals.get(portal);
    if (plan === undefined) return await this.#forward(bytes, 1);
    await this.#barrier();
    if (!this.#skipping) await this.#run(plan);
  }

  async #close(bytes: Message): Promise<void> {
    const [name] = readText(bytes, 6);
    const own = bytes[5] === code("S") ? this.#statements : this.#portals;
    if (!own.delete(name)) return await this.#forward(bytes, 1);
    await this.#barrier();
    await this.#client.send(CLOSED);
  }

  async #run(plan: Plan): Promise<void> {
    await this.#barrier();
    if (!this.#skipping && !(await this.#runner.run(plan))) this.#skipping = true;
  }

  async #sync(bytes: Message): Promise<void> {
    if (this.#unsynced) {
      await this.#backend.channel.send(bytes);
      await this.#untilReady();
    }
    this.#skipping = false;
    await this.#client.send(this.#backend.ready);
  }

  async #forward(bytes: Message, answers: number): Promise<void> {
    this.#unsynced = true;
    this.#owed += answers;
    await this.#backend.channel.send(bytes);
  }

  /** Passes on what Postgres owes, so that answers keep their order. */
  async #settle(): Promise<void> {
    while (this.#owed > 0 && !this.#skipping) await this.#pass(await this.#backend.channel.next());
  }

  /** Nothing of ours may run between messages that Postgres has not finished with. */
  async #barrier(): Promise<void> {
    if (!this.#unsynced) return;
    await this.#backend.channel.send(SYNC);
    await this.#untilReady();
  }

  async #untilReady(): Promise<void> {
    await this.#backend.untilReady((answer) => this.#pass(answer));
    this.#unsynced = false;
    this.#owed = 0;
  }

  async #pass(answer: Message): Promise<void> {
    const type = typeOf(answer);
    if (type === code("E")) {
      this.#skipping = true;
      await this.#client.send(errorResponse(this.#runner.failureOf(answer)));
      return;
    }
    if (ANSWERS.has(type)) this.#owed -= 1;
    await this.#client.send(answer);
  }
}

/** ParseComplete, BindComplete, CloseComplete, descriptions, and the ends of an execution. */
const ANSWERS = new Set(Array.from("123tTnCIs", code));
