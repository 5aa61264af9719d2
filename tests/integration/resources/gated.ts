/** Tasks that stay at work until the test lets them go, and what runs at the same time. */
import { expect } from "vitest";
import { defineTask } from "../../../src/core/define.ts";
import { p } from "../../../src/core/params/p.ts";
import { submit } from "../../../src/queue/submit.ts";
import type { Task } from "../../../src/core/task.ts";
import { type Pipeline, pipeline } from "../../support/pipeline.ts";

export interface Gated {
  readonly line: Pipeline;
  /** A task that takes these units, in a queue of its own or one that it shares. */
  readonly task: (name: string) => Task;
  /** The names of the tasks in the order in which they began. */
  readonly began: readonly string[];
  readonly running: ReadonlySet<string>;
  /** Lets a task end, and waits until it is complete. */
  readonly end: (name: string, error?: Error) => Promise<void>;
  /** Lets all that run now end. */
  readonly endRunning: () => Promise<void>;
  /** Puts tasks into the queue one by one, each when the one before runs or stands in line. */
  readonly ask: (...names: string[]) => Promise<void>;
  readonly units: (resource: string) => Promise<number>;
}

export type Needs = Readonly<
  Record<
    string,
    {
      readonly resources?: Readonly<Record<string, number>>;
      readonly queue?: string;
      readonly priority?: number;
    }
  >
>;

/** One family for each entry of `needs`, whose tasks are named `Family` or `Family-1`, `Family-2`. */
export async function gated(
  needs: Needs,
  limits: Readonly<Record<string, number>>,
  options: { readonly leaseDuration?: number; readonly url?: string } = {},
): Promise<Gated> {
  const began: string[] = [];
  const running = new Set<string>();
  const gates = new Map<string, (error?: Error) => void>();
  const families = Object.entries(needs).map(([name, declaration]) =>
    defineTask(
      { name, params: { n: p.text().default("") }, retry: { attempts: 1 }, ...declaration },
      async ({ params, signal }) => {
        const each = params.n === "" ? name : `${name}-${params.n}`;
        began.push(each);
        running.add(each);
        await new Promise<void>((resolve, reject) => {
          gates.set(each, (error) => (error === undefined ? resolve() : reject(error)));
          signal.addEventListener("abort", () => reject(signal.reason));
        }).finally(() => running.delete(each));
      },
    ),
  );
  const { url, leaseDuration = 60_000 } = options;
  const line = await pipeline(families, { leaseDuration }, undefined, url, { resources: limits });
  const task = (text: string): Task => {
    const [name = "", n = ""] = text.split("-");
    return line.project.family(name).parse({ n });
  };
  const { redis, keys } = line.engine;
  const settled = async (name: string) => {
    const { id, family } = task(name);
    const state = await line.engine.queue(family.queue).getJobState(id);
    return running.has(name) || ["delayed", "completed", "failed"].includes(state);
  };
  const end = async (name: string, error?: Error) => {
    const { id, family } = task(name);
    gates.get(name)?.(error);
    await expect
      .poll(() => line.engine.queue(family.queue).getJobState(id))
      .toBe(error === undefined ? "completed" : "failed");
  };
  return {
    line,
    task,
    began,
    running,
    end,
    async endRunning() {
      const names = [...running];
      for (const name of names) await end(name);
    },
    async ask(...names) {
      for (const name of names) {
        await submit(line, task(name), { signal: AbortSignal.timeout(10_000) });
        await expect.poll(() => settled(name)).toBe(true);
      }
    },
    async units(resource) {
      const entries = await redis.hvals(`${keys.own}resource:${resource}`);
      return entries.reduce((sum, entry) => sum + Number(entry.split(" ")[1]), 0);
    },
  };
}
