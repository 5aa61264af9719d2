/**
 * Task metrics for Prometheus, counted from events. Labels are bounded by the project's code: family,
 * queue and outcome, never a task id, a parameter or a date. Queue depths are not counted here: they
 * belong to Redis, not to a process.
 */
import { collectDefaultMetrics, Counter, Histogram, Registry } from "prom-client";
import type { EventHub, EventName, SluiceEvents } from "../core/events.ts";

/** Seconds: from a small SQL statement to a dump of hours. */
const DURATIONS = [0.1, 0.5, 1, 5, 15, 30, 60, 300, 900, 1800, 3600, 7200, 14_400];

const OUTCOMES = [
  ["task:succeeded", "succeeded"],
  ["task:retrying", "retrying"],
  ["task:failed", "failed"],
  ["task:lost", "lost"],
] as const;

/** Counts a process's task events, and its own memory, CPU and event loop, in a new registry. */
export function recordMetrics(hub: EventHub): Registry {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const started = new Counter({
    name: "sluice_task_attempts_started_total",
    help: "Attempts begun.",
    labelNames: ["family", "queue"],
    registers,
  });
  const ended = new Counter({
    name: "sluice_task_attempts_ended_total",
    help: "Attempts ended: succeeded, retrying (failed, another follows), failed (for good) or lost (its worker died).",
    labelNames: ["family", "queue", "outcome"],
    registers,
  });
  const seconds = new Histogram({
    name: "sluice_task_attempt_duration_seconds",
    help: "Time of one attempt.",
    labelNames: ["family", "queue", "outcome"],
    buckets: DURATIONS,
    registers,
  });
  const rows = new Counter({
    name: "sluice_task_rows_total",
    help: "Rows that succeeded tasks reported.",
    labelNames: ["family", "queue"],
    registers,
  });
  const bytes = new Counter({
    name: "sluice_task_bytes_total",
    help: "Bytes that succeeded tasks reported.",
    labelNames: ["family", "queue"],
    registers,
  });

  hub.on("task:started", (event) => started.inc(sourceOf(event)));
  for (const [name, outcome] of OUTCOMES) {
    hub.on(name, (event) => {
      const labels = { ...sourceOf(event), outcome };
      ended.inc(labels);
      seconds.observe(labels, event.seconds);
    });
  }
  hub.on("task:succeeded", (event) => {
    if (event.rows !== undefined) rows.inc(sourceOf(event), event.rows);
    if (event.bytes !== undefined) bytes.inc(sourceOf(event), event.bytes);
  });
  return registry;
}

function sourceOf({ task, queue }: SluiceEvents[EventName]): { family: string; queue: string } {
  return { family: task.family, queue };
}
