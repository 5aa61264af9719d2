/** A seed's processes at work, each in a slot with wires of its own; who dies is replaced. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Actor, Part, Wings } from "./actor.ts";
import type { Network } from "./network.ts";

export const WORKERS = 3;
export const EXPANDERS = 2;
export const SLOTS = WORKERS + EXPANDERS;

/** Between the death of a process and the start of the next, as an orchestrator would. */
const RESTART_AFTER = 150;

export interface Exit {
  readonly pid: number;
  readonly by: string;
  readonly at: number;
}

export class Stage {
  readonly exits: Exit[] = [];
  /** When each process played in this seed. */
  readonly pids = new Set<number>();
  readonly #wings: Wings;
  readonly #partOf: (slot: number) => Part;
  readonly #actors: (Actor | undefined)[] = [];
  readonly #slots: Promise<void>[] = [];
  #closing = false;
  #filled = 0;
  #onFilled = () => {};
  /** Resolves when every slot has had somebody. */
  readonly ready = new Promise<void>((resolve) => {
    this.#onFilled = resolve;
  });

  constructor(wings: Wings, partOf: (slot: number) => Part) {
    this.#wings = wings;
    this.#partOf = partOf;
    for (let slot = 0; slot < SLOTS; slot++) this.#slots.push(this.#keepFilled(slot));
  }

  /** Who is in the slot right now, if anybody is. */
  actor(slot: number): Actor | undefined {
    return this.#actors[slot];
  }

  /** The slots of those processes that are still there. */
  slotsOf(pids: readonly number[]): readonly number[] {
    const slots = pids.map((pid) => this.#actors.findIndex((actor) => actor?.pid === pid));
    return slots.filter((slot) => slot >= 0);
  }

  /** Lets everybody end in order; `reuse` is whether they may play again. */
  async close({ reuse }: { readonly reuse: boolean }): Promise<void> {
    this.#closing = true;
    const actors = this.#actors.filter((actor) => actor !== undefined);
    if (!reuse) for (const actor of actors) actor.signal("SIGKILL");
    for (const actor of actors) actor.stop();
    const patience = new AbortController();
    void sleep(10_000, undefined, { signal: patience.signal }).then(
      () => {
        for (const actor of actors) actor.signal("SIGKILL");
      },
      () => {},
    );
    await Promise.all(this.#slots);
    patience.abort();
    for (const actor of actors) this.#wings.leave(actor);
  }

  async #keepFilled(slot: number): Promise<void> {
    while (!this.#closing) {
      const actor = await this.#wings.enter();
      if (this.#closing) {
        this.#wings.leave(actor);
        return;
      }
      this.#actors[slot] = actor;
      this.#filled += 1;
      if (this.#filled === SLOTS) this.#onFilled();
      this.pids.add(actor.pid);
      await this.#play(slot, actor);
      if (!actor.alive) this.exits.push({ pid: actor.pid, by: await actor.ended, at: Date.now() });
      if (!this.#closing) {
        this.#actors[slot] = undefined;
        await sleep(RESTART_AFTER);
      }
    }
  }

  /** One that could not start, because Redis was away, tries again, as a restarted container does. */
  async #play(slot: number, actor: Actor): Promise<void> {
    while (!this.#closing && actor.alive) {
      const why = await actor.play(this.#partOf(slot));
      if (this.#closing || !actor.alive || why === "") return;
      await sleep(RESTART_AFTER);
    }
  }
}

/** The environment of a process in a slot: every service through its own wires. */
export function environmentOf(
  network: Network,
  slot: number,
  common: { readonly redis: string; readonly postgres: string; readonly s3: string },
): Record<string, string> {
  const wires = network.wires(slot);
  const through = (url: string, port: number) => {
    const rewired = new URL(url);
    rewired.port = String(port);
    return rewired.href.replace(/\/$/, "");
  };
  const database = through(common.postgres, wires.postgres.port);
  return {
    REDIS_URL: through(common.redis, wires.redis.port),
    SOURCE_URL: database,
    WAREHOUSE_URL: database,
    AWS_ENDPOINT_URL_S3: through(common.s3, wires.s3.port),
  };
}
