/** Processes of chaos runs, as the harness sees them: loaded ahead, cast for a part, killed, reused. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Mode } from "./dataset.ts";

export interface Part {
  readonly role: "worker" | "expander";
  readonly seed: number;
  readonly mode: Mode;
  /** Folder of the ledger. */
  readonly ledger: string;
  readonly environment: Readonly<Record<string, string>>;
}

export type ToActor = { readonly do: "play"; readonly part: Part } | { readonly do: "stop" };

export type FromActor =
  | { readonly is: "loaded" | "stopped" }
  | { readonly is: "failed"; readonly why: string };

const BUNDLED = fileURLToPath(new URL("../support/run-bundled.js", import.meta.url));
const SCRIPT = fileURLToPath(new URL("children/actor.ts", import.meta.url));

export class Actor {
  readonly pid: number;
  /** What it prints: the log of the worker. */
  readonly log: string;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;
  #alive = true;

  private constructor(child: ChildProcess, log: string) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.log = log;
    this.ended = once(child, "exit").then(([code, signal]: unknown[]) => {
      this.#alive = false;
      return String(code ?? signal);
    });
  }

  /** Resolves when the process has loaded everything. */
  static async start(logs: string, number: number): Promise<Actor> {
    const log = join(logs, `${number}.log`);
    const file = openSync(log, "a");
    const child = fork(BUNDLED, [SCRIPT], {
      execArgv: [],
      stdio: ["ignore", file, file, "ipc"],
      env: { ...process.env, NODE_NO_WARNINGS: "1" },
    });
    const actor = new Actor(child, log);
    const loaded = await Promise.race([once(child, "message"), actor.ended]);
    if (typeof loaded === "string") throw new Error(`an actor ended by ${loaded}: see ${log}`);
    return actor;
  }

  get alive(): boolean {
    return this.#alive;
  }

  signal(name: NodeJS.Signals): void {
    if (this.#alive) this.#child.kill(name);
  }

  /** Resolves with why it could not, when it stops by itself. */
  play(part: Part): Promise<string> {
    const stopped = new Promise<string>((resolve) => {
      const listener = (message: FromActor) => {
        if (message.is === "loaded") return;
        this.#child.off("message", listener);
        resolve(message.is === "failed" ? message.why : "");
      };
      this.#child.on("message", listener);
    });
    this.#send({ do: "play", part });
    return Promise.race([stopped, this.ended]);
  }

  /** Asks it to end its part. */
  stop(): void {
    this.#send({ do: "stop" });
  }

  #send(message: ToActor): void {
    if (this.#alive) this.#child.send(message, () => {});
  }
}

/** Actors without a part; some are always being loaded ahead. */
export class Wings {
  readonly #logs: string;
  readonly #spare: Promise<Actor>[] = [];
  readonly #ahead: number;
  readonly all: Actor[] = [];
  #loaded = 0;

  constructor(logs: string, ahead: number) {
    this.#logs = logs;
    this.#ahead = ahead;
  }

  async enter(): Promise<Actor> {
    for (;;) {
      const next = this.#spare.shift() ?? this.#load();
      while (this.#spare.length < this.#ahead) this.#spare.push(this.#load());
      const actor = await next;
      if (actor.alive) return actor;
    }
  }

  leave(actor: Actor): void {
    if (actor.alive) this.#spare.unshift(Promise.resolve(actor));
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#spare);
    for (const actor of this.all) {
      actor.signal("SIGKILL");
      await actor.ended;
    }
  }

  async #load(): Promise<Actor> {
    this.#loaded += 1;
    const actor = await Actor.start(this.#logs, this.#loaded);
    this.all.push(actor);
    return actor;
  }
}
