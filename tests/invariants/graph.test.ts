/** INV5 and INV11: the graph is respected by every run, and enters the queue as a whole. */
import * as fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { defineTask, defineWrapper } from "../../src/core/define.ts";
import { p } from "../../src/core/params/p.ts";
import { missingOutputs } from "../../src/core/target.ts";
import type { Task } from "../../src/core/task.ts";
import { Engine } from "../../src/queue/engine.ts";
import { submit } from "../../src/queue/submit.ts";
import { openStores } from "../../src/stores/open-stores.ts";
import { FaultProxy } from "../faults/wire/fault-proxy.ts";
import { redisProtocol } from "../faults/wire/redis.ts";
import { flags, pipeline, statesOf } from "../support/pipeline.ts";
import { redisUrl } from "../support/services.ts";

const soon = () => ({ signal: AbortSignal.timeout(10_000) });
const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A graph of `Node`s: node n requires the nodes that `edges` names, all later ones. */
async function graph(edges: readonly (readonly number[])[]) {
  const { flag, count, counted } = await flags();
  const early: string[] = [];
  const Node = defineTask(
    {
      name: "Node",
      params: { n: p.int({ min: 0, max: 1_000_000 }) },
      requires: ({ n }): Task[] => (edges[n] ?? []).map((m) => Node({ n: m })),
      output: ({ n }) => flag(`node-${n}`),
      retry: { attempts: 2, backoff: "1ms" },
    },
    async ({ params: { n }, output, attempt, signal }) => {
      for (const m of edges[n] ?? []) {
        const task = Node({ n: m });
        const missing = await missingOutputs({ task, stores: openStores({}), signal });
        if (missing.length > 0) early.push(`${n} before ${m}`);
      }
      await count(`node-${n}`);
      if (attempt.number === 1 && n % 3 === 0) throw new Error("not yet");
      await output.raise();
    },
  );
  return { Node, early, counted };
}

test("INV5 no run begins before the outputs of all its requirements exist, in any graph", async () => {
  const graphs = fc.array(fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 4 }), {
    minLength: 12,
    maxLength: 20,
  });
  await fc.assert(
    fc.asyncProperty(graphs, async (offsets) => {
      const edges = offsets.map((by, n) => [
        ...new Set(by.map((each) => n + each).filter((m) => m < offsets.length)),
      ]);
      const { Node, early } = await graph(edges);
      const line = await pipeline([Node]);
      await line.work();
      const root = Node({ n: 0 });
      expect(statesOf(await line.run(root))[root.name]).toBe("complete");
      expect(early).toEqual([]);
    }),
    { numRuns: 6 },
  );
});

test("INV11 a graph that is refused leaves nothing in the queue", async () => {
  const Circle: (n: number) => Task = (n) => Ring({ n });
  const Ring = defineTask(
    {
      name: "Ring",
      params: { n: p.int({ min: 0, max: 1_000_000 }) },
      requires: ({ n }) => Circle((n + 1) % 3),
    },
    () => {},
  );
  const Foreign = defineTask({ name: "Foreign" }, () => {});
  const Needs = defineWrapper({ name: "Needs", requires: () => [Leaf(), Foreign()] });
  const Throws = defineWrapper({
    name: "Throws",
    requires: (): Task[] => {
      throw new Error("no such file");
    },
  });
  const Above = defineWrapper({ name: "Above", requires: () => [Leaf(), Throws()] });
  const Leaf = defineTask({ name: "Leaf" }, () => {});
  const line = await pipeline([Ring, Needs, Throws, Above, Leaf]);
  await expect(submit(line, Ring({ n: 0 }), soon())).rejects.toThrow("in a circle");
  await expect(submit(line, Needs(), soon())).rejects.toThrow("no worker of this project");
  await expect(submit(line, Above(), soon())).rejects.toThrow("no such file");
  expect(await line.engine.queue("default").getJobCountByTypes()).toBe(0);
});

test("INV11 an expansion that breaks off at any call is completed by the next, and nothing runs twice", async () => {
  const edges = [[1, 2, 3], [4], [4, 5], [5], [], []];
  const { proxy, url } = await FaultProxy.before(redisProtocol, await redisUrl());
  closers.push(() => proxy.close());

  /** Breaks off at the nth call, then submits again; gives how many calls there were. */
  const brokenAt = async (nth: number) => {
    const { Node, counted } = await graph(edges);
    const root = Node({ n: 0 });
    const line = await pipeline([Node]);
    const engine = await Engine.open({ redisUrl: url, prefix: line.engine.keys.prefix });
    closers.push(() => engine.close());
    await engine.redis.ping();
    let calls = 0;
    proxy.decide = ({ name }) =>
      /^(sluice|multi)/.test(name) && ++calls === nth ? { kind: "execute-then-error" } : undefined;
    const broken = submit({ ...line, engine }, root, soon());
    const failure = await broken.then(() => "", String);
    expect(failure.includes("injected fault")).toBe(nth > 0);
    proxy.decide = () => undefined;
    await submit(line, root, soon());
    await line.work();
    expect(statesOf(await line.run(root))[root.name]).toBe("complete");
    for (const n of edges.keys()) expect(await counted(`node-${n}`)).toBe(n % 3 === 0 ? 2 : 1);
    expect(await line.engine.queue("default").getWaitingChildrenCount()).toBe(0);
    return calls;
  };

  const calls = await brokenAt(0);
  expect(calls).toBeGreaterThan(2);
  for (let nth = 1; nth <= calls; nth += 1) await brokenAt(nth);
});
