/** `sluice cancel` from another process: the run that waits for the task ends, too. */
import { expect, test } from "vitest";
import { sluice, startSluice } from "./support/command.ts";
import { freshPlace } from "./support/place.ts";
import { until } from "./support/until.ts";
import { tasksIn } from "./support/worker-log.ts";

const PIECE = ["Piece", "--date", "2026-11-21", "--n", "1"];
const NAME = "Piece(date=2026-11-21, n=1)";

test("cancel ends a task in another process, says so, and the run that waits reports it", async () => {
  const place = await freshPlace();
  // A piece waits until the warehouse has a table that nobody makes.
  const env = { ...place.env, SLUICE_CONFIG: "tests/e2e/pipelines/nightly/sluice.config.ts" };
  const worker = startSluice(["worker"], { env });
  const run = sluice(["run", ...PIECE], env);
  await until("the piece is at work", () => tasksIn("task:started", [worker]).length === 1);

  const cancel = await sluice(["cancel", ...PIECE], env);
  expect(cancel).toMatchObject({ code: 0, stdout: `${NAME}: cancelled: its attempt has ended\n` });
  expect(cancel.stderr).toContain(`${NAME}: running, waiting until it has ended`);
  const { code, stderr } = await run;
  expect(code).toBe(1);
  expect(stderr).toMatch(/cancelled by \S+@\S+\. It stays so until somebody runs or retries it/);

  const again = await sluice(["cancel", ...PIECE, "--json"], env);
  expect([again.code, JSON.parse(again.stdout)]).toEqual([
    1,
    { id: expect.stringMatching(/^Piece_/), name: NAME, found: "failed" },
  ]);
  expect((await worker.end("SIGTERM")).code).toBe(0);
});
