import { expect, test } from "vitest";
import { EventHub } from "../../../src/core/events.ts";
import { recordMetrics } from "../../../src/hooks/prometheus.ts";
import { failure, load } from "./sample-events.ts";

test("attempts, durations, rows and bytes are counted per family, queue and outcome", async () => {
  const hub = newHub();
  const registry = recordMetrics(hub);
  hub.emit("task:started", load("2026-11-20"));
  hub.emit("task:retrying", { ...load("2026-11-20"), seconds: 0.05, error: failure });
  hub.emit("task:started", load("2026-11-20"));
  hub.emit("task:succeeded", { ...load("2026-11-20"), seconds: 20, rows: 7, bytes: 1024 });
  hub.emit("task:started", load("2026-11-21"));
  hub.emit("task:failed", { ...load("2026-11-21"), seconds: 4000, error: failure });
  hub.emit("task:succeeded", {
    ...load("2026-11-22"),
    seconds: 1,
    rows: undefined,
    bytes: undefined,
  });
  await hub.drain(1000);

  const lines = (await registry.metrics()).split("\n");
  const source = 'family="LoadTable",queue="load"';
  expect(lines).toEqual(
    expect.arrayContaining([
      `sluice_task_attempts_started_total{${source}} 3`,
      `sluice_task_attempts_ended_total{${source},outcome="succeeded"} 2`,
      `sluice_task_attempts_ended_total{${source},outcome="retrying"} 1`,
      `sluice_task_attempts_ended_total{${source},outcome="failed"} 1`,
      `sluice_task_attempt_duration_seconds_bucket{le="0.1",${source},outcome="retrying"} 1`,
      `sluice_task_attempt_duration_seconds_bucket{le="3600",${source},outcome="failed"} 0`,
      `sluice_task_attempt_duration_seconds_bucket{le="7200",${source},outcome="failed"} 1`,
      `sluice_task_attempt_duration_seconds_sum{${source},outcome="succeeded"} 21`,
      `sluice_task_rows_total{${source}} 7`,
      `sluice_task_bytes_total{${source}} 1024`,
    ]),
  );
});

test("a thousand tasks of one family make no more series than one does", async () => {
  const few = await seriesAfter(1);
  const many = await seriesAfter(1000);
  expect(many).toEqual(few);
});

test("the process's own memory, CPU and event loop are measured", async () => {
  const text = await recordMetrics(newHub()).metrics();
  expect(text).toMatch(/^process_cpu_seconds_total /m);
  expect(text).toMatch(/^nodejs_eventloop_lag_seconds /m);
});

/** Names and labels of the task metrics, without their values. */
async function seriesAfter(tasks: number): Promise<string[]> {
  const hub = newHub();
  const registry = recordMetrics(hub);
  for (let number = 0; number < tasks; number += 1) {
    hub.emit("task:started", load(`day ${number}`));
    hub.emit("task:failed", { ...load(`day ${number}`), seconds: number, error: failure });
  }
  await hub.drain(1000);
  const lines = (await registry.metrics()).split("\n");
  return lines
    .filter((line) => line.startsWith("sluice_"))
    .map((line) => line.replace(/ \S+$/, ""));
}

function newHub(): EventHub {
  return new EventHub((error) => {
    throw error;
  });
}
