/**
 * What the engine has to do with one graph, in as few words as possible: no Redis, no chunks, no locks,
 * no time. Planner and scripts are held against it, command by command.
 */

/** `withdrawn`: it was complete, and somebody invalidated it. */
export type State =
  | "absent"
  | "blocked"
  | "queued"
  | "running"
  | "failed"
  | "withdrawn"
  | "complete";

/** As the engine is set in these tests. */
export const ATTEMPTS = 2;
export const CRASHES = 3;

export class Reference {
  readonly states: State[];
  readonly runs: number[];
  readonly #edges: readonly (readonly number[])[];
  readonly #attempts: number[];
  readonly #crashes: number[];
  /** Which open requirements each blocked task was told to wait for. */
  readonly #waits: Set<number>[];

  constructor(edges: readonly (readonly number[])[]) {
    this.#edges = edges;
    this.states = edges.map(() => "absent");
    this.runs = edges.map(() => 0);
    this.#attempts = edges.map(() => 0);
    this.#crashes = edges.map(() => 0);
    this.#waits = edges.map(() => new Set());
  }

  /** What is not complete below the root gets a job; what had failed gets fresh attempts. */
  submit(root: number): void {
    this.#enqueue([root], ["failed", "withdrawn"]);
  }

  succeed(task: number): void {
    if (this.states[task] !== "running") return;
    this.#crashes[task] = 0;
    this.states[task] = "complete";
    for (const waits of this.#waits) waits.delete(task);
  }

  fail(task: number, forGood: boolean): void {
    if (this.states[task] !== "running") return;
    const attempts = (this.#attempts[task] ?? 0) + 1;
    this.#attempts[task] = attempts;
    this.states[task] = forGood || attempts >= ATTEMPTS ? "failed" : "queued";
  }

  /** Its worker died: another attempt takes over, but not for ever. */
  lose(task: number): void {
    if (this.states[task] !== "running") return;
    const crashes = (this.#crashes[task] ?? 0) + 1;
    this.#crashes[task] = crashes % CRASHES;
    this.states[task] = crashes === CRASHES ? "failed" : "queued";
  }

  cancel(task: number): void {
    const state = this.states[task] ?? "absent";
    if (["blocked", "queued", "running"].includes(state)) this.states[task] = "failed";
  }

  /** Refused while it runs. */
  invalidate(task: number): void {
    if (this.states[task] === "running") return;
    this.#crashes[task] = 0;
    if (this.states[task] === "complete") this.states[task] = "withdrawn";
  }

  /** Workers have nothing else to do: whatever can begin begins. */
  settle(): void {
    for (let moved = true; moved; ) {
      moved = false;
      for (const [task, state] of this.states.entries()) {
        const ready = this.needs(task).every((need) => this.states[need] === "complete");
        if (state === "blocked" && this.#waits[task]?.size === 0) this.states[task] = "queued";
        else if (state === "queued" && ready) this.#begin(task);
        else if (state === "queued") this.#block(task);
        else continue;
        moved = true;
      }
    }
  }

  needs(task: number): readonly number[] {
    return this.#edges[task] ?? [];
  }

  #begin(task: number): void {
    this.states[task] = "running";
    this.runs[task] = (this.runs[task] ?? 0) + 1;
  }

  /** The gate: what is missing is asked for; what failed is left for a person. */
  #block(task: number): void {
    this.states[task] = "blocked";
    this.#enqueue(this.needs(task), ["withdrawn"]);
    this.#link(task);
  }

  /** It waits for what is open now: what is withdrawn later is found missing at its gate. */
  #link(task: number): void {
    this.#waits[task] = new Set(this.needs(task).filter((n) => this.states[n] !== "complete"));
  }

  #enqueue(roots: readonly number[], again: readonly State[]): void {
    const seen = new Set<number>();
    const visit = (task: number): void => {
      const state = this.states[task] ?? "absent";
      if (seen.has(task) || state === "complete") return;
      seen.add(task);
      for (const need of this.needs(task)) visit(need);
      if (state === "absent") this.states[task] = "blocked";
      if (this.states[task] === "blocked") this.#link(task);
      if (!again.includes(state)) return;
      this.states[task] = "queued";
      this.#attempts[task] = 0;
    };
    for (const root of roots) visit(root);
  }
}
