/** A night with a scaled clock: scheduler, three workers of which one comes late, metrics, webhook. */
import { Temporal } from "temporal-polyfill";
import { expect, test } from "vitest";
import { startReceiver } from "../integration/hooks/receiver.ts";
import { type Command, sluice, startSluice } from "./support/command.ts";
import { freshPlace } from "./support/place.ts";
import { until } from "./support/until.ts";
import { logOf, tasksIn } from "./support/worker-log.ts";

const PIECES = 12;

async function healthOf(command: Command): Promise<string> {
  const [, address = ""] = await command.says(
    /"address":"(http:[^"]+)","msg":"health endpoint listens"/,
  );
  return address;
}

/** Samples of Prometheus's text format, by name and labels. */
async function metricsOf(address: string): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${address}/metrics`)).text();
  const samples = text.matchAll(/^([a-z_]+(?:\{.*\})?) (\S+)$/gm);
  return new Map(Array.from(samples, ([, name = "", value]) => [name, Number(value)]));
}

/** The sum over processes of the samples with this name and all of these labels. */
function total(
  processes: readonly ReadonlyMap<string, number>[],
  name: string,
  ...labels: readonly string[]
): number {
  const samples = processes.flatMap((metrics) => [...metrics]);
  return samples
    .filter(([key]) => key.startsWith(name) && labels.every((label) => key.includes(label)))
    .reduce((sum, [, value]) => sum + value, 0);
}

test("the scheduler enqueues yesterday, workers drain it, a failure heals at the next tick", async () => {
  const place = await freshPlace();
  await place.warehouse("CREATE SCHEMA ops; CREATE TABLE ops.tries (n serial)");
  const receiver = await startReceiver((response) => response.end());
  const env = {
    ...place.env,
    SLUICE_CONFIG: "tests/e2e/pipelines/nightly/sluice.config.ts",
    SLUICE_CONCURRENCY: "1",
    SLUICE_HEALTH_PORT: "0",
    SLUICE_ENVIRONMENT: "staging",
    SLUICE_WEBHOOK_URL: `${receiver.address}/hook`,
  };
  const startWorker = () => startSluice(["worker"], { env });
  const yesterday = Temporal.Now.plainDateISO("Europe/Berlin").subtract({ days: 1 }).toString();

  const scheduler = startSluice(["scheduler"], { env });
  const early = [startWorker(), startWorker()];
  const pieces = (workers: readonly Command[]) =>
    tasksIn("task:started", workers).filter((name) => name.startsWith("Piece("));
  await until("both workers have a piece", () =>
    early.every((each) => pieces([each]).length === 1),
  );

  // Both are busy: what the late one gets was waiting, and it gets it at once.
  const late = startWorker();
  await until("the late worker has a piece", () => pieces([late]).length === 1);
  const [working, started] = ["working", "task:started"].map(
    (msg) => logOf(late).find((each) => each.msg === msg)?.["time"],
  );
  expect(Date.parse(String(started)) - Date.parse(String(working))).toBeLessThan(5_000);

  const workers = [...early, late];
  const health = await Promise.all([scheduler, ...workers].map(healthOf));
  for (const address of health) {
    expect((await fetch(`${address}/healthz`)).status).toBe(200);
    expect((await fetch(`${address}/readyz`)).status).toBe(200);
  }

  await place.warehouse("CREATE TABLE ops.gate ()");
  const TASKS = PIECES + 2;
  await until("every task succeeded", () => tasksIn("task:succeeded", workers).length === TASKS);
  const succeeded = tasksIn("task:succeeded", workers);
  expect(new Set(succeeded).size).toBe(TASKS);
  expect(succeeded.every((name) => name.includes(`date=${yesterday}`))).toBe(true);
  const flaky = `Flaky(date=${yesterday})`;
  expect(tasksIn("task:failed", workers)).toEqual([flaky]);
  expect(tasksIn("task:started", workers).filter((name) => name === flaky)).toHaveLength(2);

  // It failed once and recovered once, and the webhook was told of both.
  const delivered = "sluice_webhook_notifications_total";
  const metrics = await until("both notifications are delivered", async () => {
    const each = await Promise.all(health.slice(1).map(metricsOf));
    return total(each, delivered, 'outcome="delivered"') === 2 && each;
  });
  const ended = "sluice_task_attempts_ended_total";
  expect(total(metrics, "sluice_task_attempts_started_total")).toBe(TASKS + 1);
  expect(total(metrics, ended, 'outcome="succeeded"')).toBe(TASKS);
  expect(total(metrics, ended, 'family="Piece"', 'queue="pieces"')).toBe(PIECES);
  expect(total(metrics, ended, 'outcome="failed"')).toBe(1);
  expect(total(metrics, ended, 'outcome="retrying"')).toBe(0);
  expect(total(metrics, "sluice_task_rows_total")).toBe(10 * PIECES + 1);
  expect(total(metrics, "sluice_task_attempt_duration_seconds_count")).toBe(TASKS + 1);
  expect(total(metrics, delivered)).toBe(2);
  for (const each of metrics) expect(each.get("process_cpu_seconds_total")).toBeGreaterThan(0);

  // Ticks go on, find the date complete, and start nothing.
  const ticks = () => logOf(scheduler).filter(({ msg }) => msg === "tick");
  const before = ticks().length;
  await until("two more ticks have been", () => ticks().length >= before + 2);
  for (const { root } of ticks()) expect(root).toMatch(/^Nightly_/);
  expect(new Set(ticks().map(({ root }) => root)).size).toBe(1);
  expect(tasksIn("task:started", workers)).toHaveLength(TASKS + 1);
  const plan = await sluice(["plan", "Nightly", "--date", yesterday, "--json"], env);
  expect(JSON.parse(plan.stdout)).toMatchObject({ run: [], rest: [{ why: "complete" }] });

  // A try whose answer came late is made again, with the same key: receivers tell by it.
  const byKey = new Map(receiver.received.map((each) => [each.headers["idempotency-key"], each]));
  const notifications = [...byKey.values()];
  expect(notifications).toHaveLength(2);
  expect(notifications[1]?.body).toMatchObject({
    event: "task:recovered",
    task: { name: flaky, family: "Flaky" },
  });
  const [{ path, headers, body } = expect.fail("nothing received")] = notifications;
  expect(path).toBe("/hook");
  expect(headers["content-type"]).toBe("application/json");
  expect(body).toMatchObject({
    event: "task:failed",
    environment: "staging",
    task: { name: flaky, family: "Flaky" },
    queue: "sql",
    root: ticks()[0]?.["root"],
    attempt: { number: 1 },
    rows: null,
    error: {
      code: "ERROR",
      message: "the bank's file is not there yet",
      fingerprint: "Flaky:ERROR",
    },
  });

  for (const each of [scheduler, ...workers]) {
    expect((await each.end("SIGTERM")).code).toBe(0);
    expect(logOf(each).at(-1)?.msg).toBe("stopped");
    expect(logOf(each).filter(({ level }) => level === "error")).toEqual([]);
  }
});
