/** A night with a bad row, as the operator lives it: real processes, the dashboard's API, the commands. */
import { expect, test } from "vitest";
import { startReceiver } from "../integration/hooks/receiver.ts";
import { sluice, startSluice } from "./support/command.ts";
import { freePort } from "./support/free-port.ts";
import { freshPlace } from "./support/place.ts";
import { until } from "./support/until.ts";

const CONFIG = "tests/e2e/pipelines/operator/sluice.config.ts";
const DATE = "2026-11-21";

test("a load fails on a bad row, is seen, mended, retried in Bull Board, and recovers", async () => {
  const place = await freshPlace();
  const receiver = await startReceiver((response) => response.end());
  const port = await freePort();
  const env = {
    ...place.env,
    SLUICE_CONFIG: CONFIG,
    SLUICE_WEBHOOK_URL: receiver.address,
    SLUICE_DASHBOARD_PORT: String(port),
    SLUICE_VERSION: "v1.5",
  };
  const say = async (...args: string[]) => sluice(args, env);
  await place.warehouse(`
    CREATE SCHEMA landing; CREATE SCHEMA mart;
    CREATE TABLE landing.orders (id int, day date, amount text);
    CREATE TABLE mart.orders (id int, day date, amount numeric(12,2));
    CREATE TABLE mart.revenue (day date, amount numeric);
    INSERT INTO landing.orders VALUES (1, '${DATE}', '10.00'), (2, '${DATE}', '12,99')`);

  // The night: everything is up, the run fails.
  const worker = startSluice(["worker"], { env });
  await worker.says(/"working"/);
  const dashboard = startSluice(["dashboard"], { env });
  await dashboard.says(/Bull Board at/);
  const night = await say("run", "AllTasks", "--date", DATE);
  expect(night.code).toBe(1);

  // Bull Board shows the failure with its reason.
  const api = `http://127.0.0.1:${port}/queues/api/queues`;
  const board = await (await fetch(`${api}?activeQueue=load&status=failed&page=1`)).text();
  expect(board).toContain(`LoadOrders(date=${DATE})`);
  expect(board).toContain("12,99");

  // So does the command line, with what to do.
  const retry = `sluice retry LoadOrders --date ${DATE} --config ${CONFIG}`;
  const errors = await say("errors");
  expect(errors.code).toBe(1);
  expect(errors.stdout).toMatch(/^LoadOrders\(date=2026-11-21\)$/m);
  expect(errors.stdout).toMatch(/attempts: 1, holds up: 2 tasks$/m);
  expect(errors.stdout).toMatch(/invalid input syntax for type numeric: "12,99"/);
  expect(errors.stdout).toMatch(new RegExp(`^  retry it: ${retry}$`, "m"));
  const why = await say("why", "AllTasks", "--date", DATE);
  expect(why.code).toBe(0);
  expect(why.stdout).toMatch(/blocked: 2 tasks that it needs are not complete, because of/);
  expect(why.stdout).toMatch(/1\. LoadOrders\(date=2026-11-21\)\n\s+failed .* after 1 attempt\n/);
  expect(why.stdout).toContain(`retry it: ${retry}`);
  const status = await say("status", "AllTasks", "--date", DATE, "--json");
  expect(status.code).toBe(1);
  expect(JSON.parse(status.stdout)).toMatchObject({
    tasks: { complete: 0, failed: 1, blocked: 2 },
    failed: [{ name: `LoadOrders(date=${DATE})`, blocked: 2 }],
    running: [],
    runs: [{ kind: "run", found: { absent: 3 } }],
  });

  // The row is mended, and the job retried in Bull Board.
  await place.warehouse("UPDATE landing.orders SET amount = '12.99' WHERE id = 2");
  const [failed] = JSON.parse((await say("errors", "--json")).stdout);
  const answer = await fetch(`${api}/load/${failed.id}/retry`, { method: "PUT" });
  expect(answer.status).toBe(204);
  await until("the run completes", async () => {
    const [row] = await place.warehouse("SELECT count(*)::int AS days FROM mart.revenue");
    return row?.["days"] === 1;
  });
  expect(await place.warehouse("SELECT amount::text FROM mart.revenue")).toEqual([
    { amount: "22.99" },
  ]);
  const quiet = await say("errors");
  expect(quiet).toMatchObject({ code: 0, stdout: "nothing has failed\n" });

  // The page of the task tells the whole story, and the hook told its two ends once.
  await until("the recovery is told", () => receiver.received.length >= 2);
  const shown = await say("show", failed.id);
  expect(shown.stdout).toMatch(/complete since .* by attempt/);
  expect(shown.stdout).toMatch(/exists   marker .*mart\.orders/);
  expect(shown.stdout).toMatch(/attempts \(2\):\n.* failed, .*\n.*, code v1\.5\n/);
  expect(shown.stdout).toMatch(/succeeded, /);
  await worker.end("SIGTERM");
  expect(receiver.received.map(({ body }) => [body.event, body.task.id])).toEqual([
    ["task:failed", failed.id],
    ["task:recovered", failed.id],
  ]);
}, 180_000);

test("sluice retry runs what failed below a root again, at once, and says what", async () => {
  const place = await freshPlace();
  const env = { ...place.env, SLUICE_CONFIG: CONFIG };
  await place.warehouse(`
    CREATE SCHEMA landing; CREATE SCHEMA mart;
    CREATE TABLE landing.orders (id int, day date, amount text);
    CREATE TABLE mart.orders (id int, day date, amount numeric(12,2));
    CREATE TABLE mart.revenue (day date, amount numeric);
    INSERT INTO landing.orders VALUES (1, '${DATE}', 'ten')`);
  const run = ["run", "AllTasks", "--date", DATE, "--workers", "1"];
  expect((await sluice(run, env)).code).toBe(1);
  await place.warehouse("UPDATE landing.orders SET amount = '10'");

  const root = ["AllTasks", "--date", DATE];
  expect((await sluice(["retry", ...root], env)).stdout).toBe(
    `retried 1 task:\n  LoadOrders(date=${DATE})\n`,
  );
  expect((await sluice(["retry", ...root, "--json"], env)).stdout).toMatch(/"retried":\[\]/);
  expect((await sluice(run, env)).code).toBe(0);
  const runs = JSON.parse((await sluice(["show", ...root, "--json"], env)).stdout).runs;
  expect(runs.map(({ kind }: { kind: string }) => kind)).toEqual(["run", "retry", "run"]);
  // An id that is none: the nearest is named.
  const wrong = await sluice(["show", `LoadOrders_${DATE.replaceAll("-", "_")}_0000000000`], env);
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toMatch(/Did you mean "LoadOrders_2026_11_21_\w{10}"\?/);
}, 180_000);
