/**
 * The engine against the reference: real Redis, real scripts, a real worker, and random commands. After
 * each of them, every task has to come to the state that the reference says, after just as many runs.
 * A run ends when a command says so. As many graphs as 20 seconds allow, at most 200.
 */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { defineTask } from "../../src/core/define.ts";
import { PermanentError, UsageError } from "../../src/core/errors.ts";
import { p } from "../../src/core/params/p.ts";
import type { Task } from "../../src/core/task.ts";
import { cancelTask } from "../../src/queue/cancel.ts";
import { invalidate } from "../../src/queue/invalidate.ts";
import { lookInRedis } from "../../src/queue/look.ts";
import { submit } from "../../src/queue/submit.ts";
import { type Pipeline, pipeline } from "../support/pipeline.ts";
import { apply, type Command, commands, graphs, target } from "./commands.ts";
import { ATTEMPTS, CRASHES, Reference } from "./reference.ts";

interface Run {
  readonly succeed: () => void;
  readonly fail: (error: Error) => void;
}

/** The graph under test, in an engine of its own key prefix. */
async function start(edges: readonly (readonly number[])[]) {
  const runs: Run[][] = edges.map(() => []);
  const Node = defineTask(
    {
      name: "Node",
      params: { n: p.int({ min: 0, max: 1_000_000 }) },
      requires: ({ n }): Task[] => (edges[n] ?? []).map((m) => Node({ n: m })),
      retry: { attempts: ATTEMPTS, backoff: "1ms" },
    },
    ({ params: { n }, signal }) =>
      new Promise<void>((resolve, reject) => {
        runs[n]?.push({ succeed: resolve, fail: reject });
        signal.addEventListener("abort", () => reject(new Error("aborted")));
      }),
  );
  const line = await pipeline([Node], { crashesAllowed: CRASHES });
  const worker = await line.work({ concurrency: 20, stalledInterval: 25, lockDuration: 30_000 });
  const tasks = edges.map((_, n) => Node({ n }));
  return { line, worker, runs, tasks };
}

type Started = Awaited<ReturnType<typeof start>>;

async function carryOut({ line, runs, tasks }: Started, { what, at }: Command): Promise<void> {
  const task = tasks[at];
  if (task === undefined) return;
  const run = runs[at]?.at(-1);
  const signal = AbortSignal.timeout(10_000);
  switch (what) {
    case "submit":
      return void (await submit(line, task, { signal }));
    case "succeed":
      return run?.succeed();
    case "fail":
      return run?.fail(new Error("not this time"));
    case "fail for good":
      return run?.fail(new PermanentError("BAD_DATA", "never"));
    case "lose":
      return lose(line, task);
    case "cancel":
      return void (await cancelTask(line, task, { by: "model", signal }));
    case "invalidate":
      return invalidate(line, [task], { signal, who: "model", reason: "model" }).catch(
        (error: unknown) => {
          if (!(error instanceof UsageError) || error.code !== "TASK_RUNNING") throw error;
        },
      );
  }
}

/** What is left of an attempt whose worker died: a lease and a lock that ran out. */
async function lose({ engine }: Pipeline, task: Task): Promise<void> {
  const { keys, redis } = engine;
  if ((await redis.hexists(keys.attempt(task.id), "holder")) === 0) return;
  await redis.hset(keys.attempt(task.id), "expires", 1);
  await redis.del(`${keys.job(task.family.queue, task.id)}:lock`);
}

async function actual({ line, runs, tasks }: Started): Promise<readonly string[]> {
  const known = await lookInRedis(line, tasks);
  return known.map(
    ({ state, withdrawn }, task) =>
      `${withdrawn === true ? "withdrawn" : state} after ${runs[task]?.length} runs`,
  );
}

/** What chance finds late: every limit is reached, and everything that ended begins again. */
const EXAMPLES: [number[][], Command[]][] = [
  ["submit", "lose", "lose", "lose", "submit", "succeed"] as const,
  [
    "submit",
    "fail",
    "fail",
    "submit",
    "fail",
    "succeed",
    "invalidate",
    "submit",
    "succeed",
  ] as const,
  ["submit", "cancel", "submit", "succeed", "cancel", "submit"] as const,
].map((list) => [[[1], []], list.map((what) => ({ what, at: what === "submit" ? 0 : 1 }))]);

/** A requirement that is withdrawn while its dependent waits for another one is asked for again. */
EXAMPLES.push([
  [[2, 1], [2], []],
  [
    { what: "submit", at: 0 },
    { what: "succeed", at: 0 },
    { what: "invalidate", at: 2 },
    { what: "succeed", at: 0 },
    { what: "succeed", at: 0 },
    { what: "succeed", at: 0 },
  ],
]);

test("INV3 over random graphs and commands, the engine does what the reference does", async () => {
  await fc.assert(
    fc.asyncProperty(graphs(5), commands(10), async (edges, list) => {
      const started = await start(edges);
      const reference = new Reference(edges);
      try {
        for (const command of list) {
          const at = target(reference, command);
          apply(reference, command.what, at);
          reference.settle();
          await carryOut(started, { ...command, at });
          const expected = reference.states.map(
            (state, task) => `${state} after ${reference.runs[task]} runs`,
          );
          const told = () => `${command.what} ${at} in ${JSON.stringify(edges)}`;
          await expect
            .poll(() => actual(started), { timeout: 8_000, interval: 5, message: told() })
            .toEqual(expected);
        }
      } finally {
        for (const run of started.runs.flat()) run.succeed();
        await started.worker.stop(0);
      }
    }),
    { examples: EXAMPLES, numRuns: 200, interruptAfterTimeLimit: 20_000, endOnFailure: true },
  );
}, 90_000);
