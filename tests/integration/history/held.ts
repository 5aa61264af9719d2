/** A task that holds its worker until that is killed, and one of the same name that ends at once. */
import { setTimeout as sleep } from "node:timers/promises";
import { defineTask } from "../../../src/core/define.ts";

const declaration = { name: "Held", retry: { attempts: 1 } } as const;

export const HeldForEver = defineTask(declaration, async ({ signal }) => {
  await sleep(600_000, undefined, { signal });
});

export const Held = defineTask(declaration, () => ({ rows: 1 }));

/** What the child is told. */
export interface Orders {
  readonly url: string;
  readonly prefix: string;
}

/** Milliseconds: short, so that a death is noticed soon. */
export const LEASE = 1_000;
