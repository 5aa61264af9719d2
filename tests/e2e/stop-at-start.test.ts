/** SIGTERM that comes while a worker starts: it ends, whatever it had got to, and what waits is done by the next. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { startSluice } from "./support/command.ts";
import { freshPlace } from "./support/place.ts";
import { until } from "./support/until.ts";
import { tasksIn } from "./support/worker-log.ts";

const PIECE = ["Piece", "--date", "2026-11-21", "--n", "1"];

test("a worker that is told to stop at any moment of its start ends cleanly and loses nothing", async () => {
  const place = await freshPlace();
  const env = { ...place.env, SLUICE_CONFIG: "tests/e2e/pipelines/nightly/sluice.config.ts" };
  const began = performance.now();
  const first = startSluice(["worker"], { env });
  await first.says(/"working"/);
  const startUp = performance.now() - began;
  expect((await first.end("SIGTERM")).code).toBe(0);

  const run = startSluice(["run", ...PIECE], { env });
  await until("the piece is enqueued", async () =>
    (await place.redisKeys()).some((key) => key.includes(":pieces:Piece_")),
  );
  // The gate is shut: a piece that begins is at work until it is told to stop.
  const stopped = [];
  for (const part of [0, 0.5, 1]) {
    const worker = startSluice(["worker"], { env });
    await sleep(startUp * part);
    const { code, output } = await worker.end("SIGTERM");
    // Null: before Node had read the first line of ours.
    expect({ part, output, ended: code === 0 || code === null }).toMatchObject({ ended: true });
    stopped.push(worker);
  }
  await place.warehouse("CREATE SCHEMA ops; CREATE TABLE ops.gate ()");
  const last = startSluice(["worker"], { env });
  expect((await run.ended).code).toBe(0);
  expect(tasksIn("task:succeeded", [last])).toHaveLength(1);
  expect(tasksIn("task:failed", [...stopped, last])).toEqual([]);
  expect(tasksIn("task:lost", [...stopped, last])).toEqual([]);
  expect((await last.end("SIGTERM")).code).toBe(0);
});
