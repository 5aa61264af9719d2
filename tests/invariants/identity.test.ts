/** INV12 and INV13: what a task and a day's root are called. */
import * as fc from "fast-check";
import { Temporal } from "temporal-polyfill";
import { expect, test } from "vitest";
import { defineTask } from "../../src/core/define.ts";
import { p } from "../../src/core/params/p.ts";
import { daily, dayBefore, lastDue } from "../../src/core/schedule.ts";
import { jobDataOf, jobOptionsOf, taskOfJob } from "../../src/queue/job.ts";
import { defineConfig } from "../../src/core/config.ts";

/** Every word that follows a queue's name in BullMQ's keys. */
const BULLMQ_WORDS =
  /^(wait|active|meta|marker|delayed|prioritized|stalled|stalled-check|pc|id|paused|limiter|events|failed|completed|repeat|waiting-children|metrics|de)$/;

test("INV12 a task id is the job's id, is no key of BullMQ, and belongs to one task", () => {
  const Any = defineTask(
    { name: "Any", params: { a: p.text(), b: p.text().optional(), n: p.int() } },
    () => {},
  );
  const project = defineConfig({ tasks: [Any] });
  const params = fc.record({
    a: fc.string({ unit: "binary" }),
    n: fc.integer({ min: -1_000, max: 1_000 }),
  });
  const known = new Map<string, string>();
  fc.assert(
    fc.property(params, (values) => {
      const task = Any(values);
      expect(task.id).toMatch(/^Any_[A-Za-z0-9_]*_[0-9a-f]{10}$/);
      expect(task.id).not.toMatch(BULLMQ_WORDS);
      expect(jobOptionsOf(task).jobId).toBe(task.id);
      expect(known.get(task.id) ?? task.name).toBe(task.name);
      known.set(task.id, task.name);
      // There and back: from Redis it comes as JSON.
      const data: unknown = JSON.parse(JSON.stringify(jobDataOf(task, "root")));
      expect(taskOfJob(project, task.id, data).task.id).toBe(task.id);
    }),
    { numRuns: 1_000 },
  );
  expect(known.size).toBeGreaterThan(500);
});

test("INV13 each day has exactly one root, whoever ticks and however late, over every change of clocks", () => {
  const All = defineTask({ name: "All", params: { date: p.date() } }, () => {});
  for (const timezone of ["Europe/Berlin", "America/New_York"]) {
    const schedule = daily(All, { at: "02:30", timezone });
    // The weeks in which Europe and America change their clocks.
    for (const [from, length] of [
      ["2026-03-05", 27],
      ["2026-10-23", 12],
    ] as const) {
      const first = Temporal.ZonedDateTime.from(`${from}T00:00[${timezone}]`);
      const instantsOf = new Map<string, Set<number>>();
      for (let day = 0; day < length; day += 1) {
        // Right after it was due, by two clocks that differ, and late at night.
        for (const minutes of [151, 152, 1_500]) {
          const now = first.add({ days: day }).add({ minutes }).epochMilliseconds;
          const due = lastDue(schedule, now);
          const { id } = schedule.rootFor(dayBefore(due, timezone));
          instantsOf.set(id, (instantsOf.get(id) ?? new Set()).add(due));
        }
      }
      // No day is passed over, and none has two instants.
      const days = Array.from(
        { length },
        (_, day) => All({ date: first.toPlainDate().add({ days: day - 1 }) }).id,
      );
      expect(days.filter((id) => !instantsOf.has(id))).toEqual([]);
      expect([...instantsOf].filter(([, instants]) => instants.size > 1)).toEqual([]);
    }
  }
});
