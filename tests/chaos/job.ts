/** One run of a chaos task: looks at its world as a sceptic would, and tells the ledger what it sees. */
import { setTimeout as sleep } from "node:timers/promises";
import { SluiceError } from "../../src/core/errors.ts";
import type { RunContext } from "../../src/core/run.ts";
import { missingOutputs } from "../../src/core/target.ts";
import { type GraphNode, nodeOf } from "./graph.ts";
import { type Reading, readRows, TornError } from "./inputs.ts";
import type { Ledger } from "./ledger.ts";

export type Context = Pick<
  RunContext,
  "attempt" | "signal" | "task" | "s3" | "source" | "warehouse"
>;

export class Job {
  readonly node: GraphNode;
  readonly attempt: Context["attempt"];
  /** Of the rows that it inserts: its number and the rows of its inputs, known after `begin`. */
  value: number;
  readonly #context: Context;
  readonly #reading: Reading;
  readonly #ledger: Ledger;
  #ended = false;

  constructor(
    context: Context,
    node: GraphNode,
    reading: Omit<Reading, "stores" | "signal">,
    ledger: Ledger,
  ) {
    this.node = node;
    this.attempt = context.attempt;
    this.value = node.n;
    this.#context = context;
    this.#reading = { ...reading, stores: context, signal: context.signal };
    this.#ledger = ledger;
  }

  async run(work: (job: Job) => Promise<void>): Promise<{ readonly rows: number }> {
    try {
      await this.begin();
      await work(this);
      this.end("answered");
      return { rows: this.node.rows };
    } catch (error) {
      this.threw(error);
      throw error;
    }
  }

  /** INV4 and INV5 as the task sees them, then its inputs. */
  async begin(): Promise<void> {
    const { attempt, task, signal } = this.#context;
    this.#ledger({ kind: "started", number: attempt.number, ...this.#self });
    const stores = this.#context;
    const absent = await missingOutputs({ task, stores, signal });
    if (task.outputs !== undefined && absent.length === 0) {
      const held = await attempt.confirmLease().then(
        () => true,
        () => false,
      );
      this.#ledger({ kind: "late", held, ...this.#self });
    }
    for (const n of this.node.requires) {
      const required = this.#reading.taskOf(nodeOf(this.#reading.graph, n));
      const missing = await missingOutputs({ task: required, stores, signal });
      if (missing.length > 0) this.#ledger({ kind: "premature", missing: n, ...this.#self });
    }
    this.value += await this.readAll(this.node.requires);
    if (!this.node.failsLate) this.#fail();
  }

  /** Reads the outputs of nodes, and gives their rows. */
  async readAll(nodes: readonly number[]): Promise<number> {
    let rows = 0;
    for (const n of nodes) {
      try {
        rows += await readRows(this.#reading, nodeOf(this.#reading.graph, n));
      } catch (error) {
        if (!(error instanceof TornError)) throw error;
        this.#ledger({ kind: "torn", input: n, why: error.message, ...this.#self });
      }
    }
    return rows;
  }

  insert(value: number): string {
    const { n, rows } = this.node;
    return `INSERT INTO inserted SELECT ${n}, '${this.attempt.id}', g, ${value} FROM generate_series(1, ${rows}) g`;
  }

  /** A naive task does not even notice that it was told to stop. */
  async pause(milliseconds: number): Promise<void> {
    const { signal } = this.#context;
    await sleep(milliseconds, undefined, this.#reading.mode === "naive" ? {} : { signal });
  }

  /** Fails, in as many attempts as the graph says. */
  failLate(): void {
    if (this.node.failsLate) this.#fail();
  }

  committed(ours: boolean): void {
    this.#ledger({ kind: "committed", ours, ...this.#self });
  }

  threw(error: unknown): void {
    const code = error instanceof SluiceError ? error.code : "";
    this.end(code || (error instanceof Error ? error.name : "thrown"));
  }

  /** The first end is told. */
  end(how: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#ledger({ kind: "ended", how, ...this.#self });
  }

  #fail(): void {
    if (this.attempt.number > this.node.failures) return;
    throw new SluiceError("CHAOS", `node ${this.node.n} fails as it was told to`);
  }

  get #self() {
    return { node: this.node.n, attempt: this.attempt.id };
  }
}
