/** INV15: an expansion leaves the process alive while it lasts, and keeps its memory bounded. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { expect, test } from "vitest";
import { defineTask, defineWrapper } from "../../src/core/define.ts";
import { p } from "../../src/core/params/p.ts";
import { submit } from "../../src/queue/submit.ts";
import { pipeline } from "../support/pipeline.ts";

const TASKS = 10_000;

test("INV15 an expansion of 10,000 tasks neither stops the event loop nor fills the memory", async () => {
  const Leaf = defineTask(
    { name: "Leaf", params: { n: p.int({ min: 0, max: 1_000_000 }) } },
    () => {},
  );
  const Root = defineWrapper({
    name: "Root",
    requires: () => Array.from({ length: TASKS }, (_, n) => Leaf({ n })),
  });
  const line = await pipeline([Leaf, Root]);
  const before = process.memoryUsage().rss;
  const delay = monitorEventLoopDelay({ resolution: 10 });
  let turns = 0;
  const timer = setInterval(() => (turns += 1), 20);
  delay.enable();
  const plan = await submit(line, Root(), { signal: AbortSignal.timeout(50_000) });
  delay.disable();
  clearInterval(timer);
  expect(plan.tasks.size).toBe(TASKS + 1);
  const queue = line.engine.queue("default");
  expect(await queue.getJobCountByTypes("waiting", "prioritized")).toBe(TASKS);
  // Leases are renewed three times in a lease of 60 s: a ceiling far above what a busy machine needs, and
  // far below what an expansion in one piece takes.
  expect(delay.percentile(99) / 1e6).toBeLessThan(1_000);
  expect(turns).toBeGreaterThan(20);
  expect((process.memoryUsage().rss - before) / 2 ** 20).toBeLessThan(400);
});
