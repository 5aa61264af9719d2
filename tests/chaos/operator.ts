/**
 * A person at the command line, while everything breaks: invalidates a dataset, and runs its task again.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../src/core/errors.ts";
import type { Task } from "../../src/core/task.ts";
import { invalidate } from "../../src/queue/invalidate.ts";
import { submit } from "../../src/queue/submit.ts";
import { readSettings } from "../../src/settings.ts";
import { openWorkplace } from "../../src/workplace.ts";
import type { ChaosFamilies } from "./families.ts";
import type { Graph, GraphNode } from "./graph.ts";
import type { Random } from "./random.ts";

/** Milliseconds between two submits. */
const AGAIN = 400;

export class Operator {
  readonly #place: Awaited<ReturnType<typeof openWorkplace>>;
  readonly #families: ChaosFamilies;
  readonly #graph: Graph;
  readonly #wanted = new Map<number, Task>();
  readonly #began = new Map<number, number>();
  readonly #ended = new AbortController();
  readonly #submitting: Promise<void>;

  private constructor(
    place: Awaited<ReturnType<typeof openWorkplace>>,
    families: ChaosFamilies,
    graph: Graph,
  ) {
    this.#place = place;
    this.#families = families;
    this.#graph = graph;
    this.#submitting = this.#submitAgain();
  }

  static async open(
    environment: Readonly<Record<string, string>>,
    families: ChaosFamilies,
    graph: Graph,
  ): Promise<Operator> {
    const place = await openWorkplace(families.project, readSettings(environment));
    return new Operator(place, families, graph);
  }

  /** The tasks that it invalidated, perhaps: it may not have been told. By node. */
  get wanted(): ReadonlyMap<number, Task> {
    return this.#wanted;
  }

  /** When it did, by node. */
  get invalidated(): ReadonlyMap<number, number> {
    return this.#began;
  }

  /** Refused while the task is at work. */
  async invalidate(random: Random): Promise<string> {
    const candidates = this.#graph.nodes.filter(({ kind }) => kind === "files");
    const node: GraphNode | undefined = candidates[random.int(0, candidates.length - 1)];
    if (node === undefined || this.#wanted.has(node.n)) return "nothing";
    const task = this.#families.taskOf(node, this.#graph);
    this.#wanted.set(node.n, task);
    this.#began.set(node.n, Date.now());
    const signal = AbortSignal.timeout(20_000);
    const how = { who: "chaos", reason: "chaos", leaseDuration: 1_000, signal };
    return invalidate(this.#place, [task], how).then(
      () => `node ${node.n}`,
      (error: unknown) => `node ${node.n}: ${messageOf(error).slice(0, 60)}`,
    );
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await Promise.race([this.#submitting, sleep(2_000)]);
    await Promise.race([this.#place.close(), sleep(1_000)]);
  }

  async #submitAgain(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      for (const task of this.#wanted.values()) {
        const retryFailed = { after: 300, times: 1_000 };
        await submit(this.#place, task, { signal, retryFailed }).catch(() => {});
      }
      await sleep(AGAIN, undefined, { signal }).catch(() => {});
    }
  }
}
