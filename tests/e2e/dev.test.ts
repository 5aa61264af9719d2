/** `npm run demo` and `npm run dev` in a clone: they bring up all they need, and leave nothing behind. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { cloneRepository, nothingLeft, processesIn } from "./support/clone.ts";
import { type Command, type Environment, start, startSluice } from "./support/command.ts";
import { freshPlace } from "./support/place.ts";
import { summaryOf } from "./support/summary.ts";

const NO_SERVICES: Environment = {};

let clone: string;
beforeAll(() => {
  clone = cloneRepository();
});

function startScript(name: string, env: Environment, ...args: readonly string[]): Command {
  return start([process.execPath, join(clone, "scripts", `${name}.js`), ...args], {
    // A free port, because somebody may have the usual one.
    env: { SLUICE_DASHBOARD_PORT: "0", ...env },
    cwd: clone,
  });
}

test("the demo runs the shop for yesterday; the second time nothing is left to do", async () => {
  const first = await startScript("demo", NO_SERVICES, "--json").ended;
  expect(first).toMatchObject({ code: 0 });
  const { root, status, tasks, rows } = summaryOf(first);
  expect(root).toMatch(/^AllTasks_\d{4}_\d\d_\d\d_[0-9a-f]{10}$/);
  expect(status).toBe("done");
  expect(tasks).toEqual({ done: tasks.ran, ran: tasks.ran, complete: 0, failed: 0, pending: 0 });
  expect(tasks.ran).toBeGreaterThanOrEqual(20);
  expect(rows).toBeGreaterThan(10_000);
  expect(first.stderr).toContain("✓ redis");
  expect(first.stderr).toContain("===== Sluice Execution Summary =====");
  await nothingLeft(clone, 1);

  const second = await startScript("demo", NO_SERVICES, "--json").ended;
  expect(second).toMatchObject({ code: 0 });
  const again = summaryOf(second);
  expect(again.tasks).toEqual({ ...tasks, ran: 0, complete: tasks.done });
  expect(again).toMatchObject({ root, status: "done", rows: 0 });
  expect(again.seconds).toBeLessThan(2);
  await nothingLeft(clone, 1);
});

test("the demo uses the services that are named, and starts none", async () => {
  const place = await freshPlace();
  const demo = startScript("demo", place.env, "--json");
  await demo.says(/ running\n/);
  expect(processesIn(clone).join("\n")).not.toMatch(/redis-server|valkey-server|postgres|s3\/main/);
  const ended = await demo.ended;
  expect(ended).toMatchObject({ code: 0 });
  expect(summaryOf(ended).status).toBe("done");
  for (const name of ["REDIS_URL", "SOURCE_URL", "WAREHOUSE_URL", "SLUICE_BUCKET"]) {
    expect(ended.stderr).toContain(`from ${name}`);
  }
  expect(await place.warehouse("SELECT FROM mart.daily_revenue")).not.toEqual([]);
});

test("dev keeps the stack up for other commands, and Ctrl-C ends all of it", async () => {
  const dev = startScript("dev", NO_SERVICES);
  const [, address = ""] = await dev.says(/Bull Board at (http:\/\/127\.0\.0\.1:\d+\/queues)/);
  expect((await fetch(address)).status).toBe(200);
  const [, command = ""] = await dev.says(
    /npx sluice (run AllTasks --date \S+ --config \S+ --dev)/,
  );

  const run = await startSluice([...command.split(" "), "--json"], { env: {}, cwd: clone }).ended;
  expect(run).toMatchObject({ code: 0 });
  expect(summaryOf(run).status).toBe("done");
  expect(existsSync(join(clone, ".sluice", "environment.json"))).toBe(true);

  const started = performance.now();
  const ended = await dev.end("SIGINT");
  expect(performance.now() - started).toBeLessThan(15_000);
  expect(ended.code).toBe(0);
  await nothingLeft(clone, 1);
  expect(existsSync(join(clone, ".sluice", "environment.json"))).toBe(false);
});

test("kill -9 of dev, or of a demo at work, takes its servers and workers with it", async () => {
  const dev = startScript("dev", NO_SERVICES);
  await dev.says(/Bull Board at /);
  const running = processesIn(clone).join("\n");
  for (const part of [/redis-server|valkey-server/, /postgres/, /s3/, /sluice\.js worker /]) {
    expect(running).toMatch(part);
  }
  await dev.end("SIGKILL");
  // Its workers may be just starting: they see the end of their parent when they are up.
  await nothingLeft(clone, 15);

  // A new night, in the folder of the dead.
  rmSync(join(clone, ".sluice"), { recursive: true });
  const demo = startScript("demo", NO_SERVICES);
  await demo.says(/ running\n/);
  await demo.end("SIGKILL");
  await nothingLeft(clone, 4);
  const again = await startScript("demo", NO_SERVICES, "--json").ended;
  expect(again).toMatchObject({ code: 0 });
  expect(summaryOf(again)).toMatchObject({ status: "done", tasks: { failed: 0, pending: 0 } });
});
