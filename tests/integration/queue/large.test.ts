/** Graphs larger than a day's: a star of 10,000 tasks, a chain of 2,000, and 130,000 requirements of one. */
import { expect, test } from "vitest";
import { defineTask, defineWrapper } from "../../../src/core/define.ts";
import { p } from "../../../src/core/params/p.ts";
import { requirementsOf, type Task } from "../../../src/core/task.ts";
import { chunk } from "../../../src/queue/chunk.ts";
import { submit } from "../../../src/queue/submit.ts";
import { pipeline } from "../../support/pipeline.ts";

const n = p.int({ min: 0, max: 1_000_000 });
const ran = new Map<string, number>();
const run = ({ task }: { readonly task: Task }) =>
  void ran.set(task.id, (ran.get(task.id) ?? 0) + 1);
const Leaf = defineTask({ name: "Leaf", params: { n } }, run);
const Star = defineWrapper({
  name: "Star",
  params: { n },
  requires: (params) => Array.from({ length: params.n }, (_, each) => Leaf({ n: each })),
});
const Chain = defineTask(
  {
    name: "Chain",
    params: { n },
    requires: (params): Task[] => (params.n === 0 ? [] : [Chain({ n: params.n - 1 })]),
  },
  run,
);

test.each([
  ["star of 10,000", Star({ n: 10_000 }), 10_000],
  ["chain of 2,000", Chain({ n: 2_000 }), 2_001],
])(
  "a %s drains, each task once",
  async (_, root, tasks) => {
    ran.clear();
    const line = await pipeline([Leaf, Star, Chain]);
    await submit(line, root, { signal: AbortSignal.timeout(50_000) });
    await line.work({ concurrency: 25 });
    const isComplete = () => line.engine.redis.exists(line.engine.keys.done(root.id));
    await expect.poll(isComplete, { timeout: 120_000, interval: 100 }).toBe(1);
    expect(ran.size).toBe(tasks);
    expect([...ran.values()].filter((times) => times > 1)).toEqual([]);
    expect(await line.engine.queue("default").getWaitingChildrenCount()).toBe(0);
    expect(line.errors).toEqual([]);
  },
  180_000,
);

test("a task with 130,000 requirements begins: no call has more arguments than the stack holds", async () => {
  const Sum = defineTask(
    { name: "Sum", requires: () => requirementsOf(Star({ n: 130_000 })) },
    run,
  );
  const line = await pipeline([Leaf, Star, Sum]);
  const { redis, keys } = line.engine;
  const record = "for _, id in ipairs(ARGV) do redis.call('HSET', KEYS[1] .. id, 'name', 'x') end";
  for (const part of chunk(requirementsOf(Sum()), 5_000)) {
    await redis.eval(record, 1, keys.done(""), ...part.map(({ id }) => id));
  }
  // Not by a submit, which would look at each of them.
  const job = { family: "Sum", params: {}, root: Sum().id };
  await line.engine.queue("default").add(Sum().name, job, { jobId: Sum().id });
  await line.work();
  await expect.poll(() => redis.exists(keys.done(Sum().id)), { timeout: 60_000 }).toBe(1);
}, 120_000);
