/** Services that are down, refuse or lack what was asked for: clear messages, exit codes, no secrets. */
import { expect, test } from "vitest";
import { freePort } from "./support/free-port.ts";
import { type Ended, type Environment, sluice, startSluice } from "./support/command.ts";
import { freshPlace, type Place } from "./support/place.ts";
import { startReadOnlyS3 } from "./support/read-only-s3.ts";
import { summaryOf } from "./support/summary.ts";
import { logOf } from "./support/worker-log.ts";

const CONFIG = { SLUICE_CONFIG: "tests/e2e/pipelines/mistakes/sluice.config.ts" };
const CANARY = "canary-5f0c1e";
const dump = (table = "shop.orders") => ["Dump", "--table", table, "--date", "2026-11-21"];
const load = (table = "shop.orders") => ["Load", "--table", table, "--date", "2026-11-21"];

/** With a table `shop.orders` of three rows. */
async function shopPlace(): Promise<Place> {
  const place = await freshPlace();
  await place.source(
    `CREATE SCHEMA shop;
     CREATE TABLE shop.orders AS
       SELECT n AS id, timestamptz '2026-11-20 12:00Z' AS ordered_at FROM generate_series(1, 3) AS n`,
  );
  return place;
}

/** The same address with the password replaced. */
function withPassword(url: string | undefined, password: string): string {
  const changed = new URL(url ?? "");
  changed.password = password;
  return changed.href;
}

function withPort(url: string | undefined, port: number): string {
  const changed = new URL(url ?? "");
  changed.port = String(port);
  return changed.href;
}

/** Runs a task that must fail, with a worker whose settings differ from those of the command. */
async function failedRun(
  place: Place,
  args: readonly string[],
  change: Environment = {},
): Promise<{ ended: Ended; log: ReturnType<typeof logOf>; workerOutput: string }> {
  const worker = startSluice(["worker"], { env: { ...place.env, ...CONFIG, ...change } });
  const ended = await sluice(["run", ...args, "--json"], { ...place.env, ...CONFIG });
  expect(ended.code).toBe(1);
  expect(summaryOf(ended).status).toBe("failed");
  expect(ended.stderr).not.toMatch(/^\s+at /m);
  const workerOutput = (await worker.end("SIGTERM")).output;
  return { ended, log: logOf(worker), workerOutput };
}

test("Redis that is down, or refuses the password, is named; exit 3", async () => {
  const place = await freshPlace();
  const down = { ...place.env, ...CONFIG, REDIS_URL: `redis://127.0.0.1:${await freePort()}` };
  const refusing = { ...down, REDIS_URL: withPassword(place.env["REDIS_URL"], CANARY) };
  const commands = [["run", ...dump()], ["worker"], ["dashboard"]];
  for (const away of await Promise.all(commands.map((command) => sluice(command, down)))) {
    expect(away).toMatchObject({ code: 3, stdout: "" });
    expect(away.stderr).toMatch(
      /^Redis at 127\.0\.0\.1:\d+\/0 cannot be reached \(.*ECONNREFUSED.*\): is it running, and is REDIS_URL right\?\n$/,
    );
  }
  const refused = await sluice(["run", ...dump()], refusing);
  expect(refused.code).toBe(3);
  expect(refused.stderr).toMatch(
    /refused the credentials: check the user and password in REDIS_URL/,
  );
  expect(refused.output).not.toContain(CANARY);
});

test("a source that is down fails the task after its attempts, saying what to look at; exit 1", async () => {
  const place = await shopPlace();
  const port = await freePort();
  const { ended, log } = await failedRun(place, load(), {
    SOURCE_URL: withPort(place.env["SOURCE_URL"], port),
  });
  const message = `the source postgres://[^ ]+:${port}/[^ ]+ cannot be reached, or the connection broke: .*ECONNREFUSED`;
  expect(ended.stderr).toMatch(/Dump\(table=shop\.orders, date=2026-11-21\) failed\n/);
  expect(ended.stderr).toMatch(new RegExp(message));
  expect(ended.stderr).toContain(
    "run it again: sluice run Dump --table shop.orders --date 2026-11-21 --config tests/e2e/pipelines/mistakes/sluice.config.ts\n",
  );
  expect(ended.stderr).toContain("* 1 had failed dependencies:");
  expect(log.map(({ msg }) => msg).filter((msg) => msg.startsWith("task:"))).toEqual([
    "task:started",
    "task:retrying",
    "task:started",
    "task:failed",
  ]);
});

test("a warehouse or an S3 that is down while it is planned: exit 3", async () => {
  const place = await shopPlace();
  const port = await freePort();
  const run = async (change: Environment) => {
    const ended = await sluice(["run", ...load()], { ...place.env, ...CONFIG, ...change });
    expect(ended).toMatchObject({ code: 3, stdout: "" });
    return ended.stderr;
  };
  expect(await run({ WAREHOUSE_URL: withPort(place.env["WAREHOUSE_URL"], port) })).toMatch(
    new RegExp(`the warehouse postgres://[^ ]+:${port}/[^ ]+ cannot be reached`),
  );
  expect(await run({ AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}` })).toMatch(
    /S3 cannot be reached/,
  );
  expect(await place.redisKeys()).toEqual([]);
});

test("wrong credentials are named and never shown: not by commands, workers or Redis", async () => {
  const place = await shopPlace();
  const { SOURCE_URL, WAREHOUSE_URL } = place.env;
  const wrong = {
    source: { SOURCE_URL: withPassword(SOURCE_URL, CANARY) },
    warehouse: { WAREHOUSE_URL: withPassword(WAREHOUSE_URL, CANARY) },
    s3: { AWS_SECRET_ACCESS_KEY: CANARY },
  } satisfies Record<string, Environment>;

  // The command's own credentials: it asks the warehouse and S3 what exists.
  for (const change of [wrong.warehouse, wrong.s3]) {
    const ended = await sluice(["run", ...load()], { ...place.env, ...CONFIG, ...change });
    expect(ended.code).toBe(3);
    expect(ended.stderr).toMatch(
      /Check the user and the password|Check the access key and its secret/,
    );
    expect(ended.output).not.toContain(CANARY);
  }
  // A worker's.
  const failures = [
    [dump(), wrong.s3, /S3 refuses \(HTTP 403\).*AWS_SECRET_ACCESS_KEY/],
    [dump(), wrong.source, /the source postgres:\/\/.*password.*Check the user and the password/],
    [load(), wrong.warehouse, /the warehouse postgres:\/\/.*Check the user and the password/],
  ] as const;
  for (const [args, change, message] of failures) {
    const { ended, workerOutput } = await failedRun(place, args, change);
    expect(ended.stderr).toMatch(message);
    expect(workerOutput).toMatch(message);
    expect(ended.output + workerOutput).not.toContain(CANARY);
  }
  const everything = await place.redisDump();
  expect(everything).toContain("Check the user and the password");
  expect(everything).not.toContain(CANARY);
});

test("a table that is unknown: the nearest is suggested, and it is not tried twice", async () => {
  const place = await shopPlace();
  const { ended, log } = await failedRun(place, dump("shop.oders"));
  expect(ended.stderr).toMatch(/shop\.oders.*Did you mean "?shop\.orders"?\?/);
  expect(log.filter(({ msg }) => msg === "task:started")).toHaveLength(1);
});

test("an S3 that lets us read but not write: the permission is named, nothing is committed", async () => {
  const place = await shopPlace();
  const endpoint = await startReadOnlyS3(place.env["AWS_ENDPOINT_URL_S3"] ?? "");
  const { ended } = await failedRun(place, dump(), { AWS_ENDPOINT_URL_S3: endpoint });
  expect(ended.stderr).toMatch(
    /S3 says AccessDenied \(HTTP 403\)\. The credentials are known, but they lack the permission/,
  );
  expect(await place.keys("")).toEqual([]);
});

test("a run that leaves its output missing fails, and the output is named", async () => {
  const place = await freshPlace();
  const { ended, log } = await failedRun(place, ["Forgetful", "--date", "2026-11-21"]);
  expect(ended.stderr).toMatch(
    /Forgetful\(date=2026-11-21\) failed\n +Forgetful\(date=2026-11-21\): run\(\) ended, but its output is missing: s3:\/\/[^/]+\/forgotten\/2026-11-21\/\. Write it in run\(\), or correct output\(\)\n/,
  );
  expect(log.filter(({ msg }) => msg === "task:started")).toHaveLength(1);
  expect(summaryOf(ended).tasks).toMatchObject({ ran: 0, failed: 1 });
});

test("rows outside the slice that a load replaces: refused, and nothing is loaded", async () => {
  const place = await shopPlace();
  const { ended, log } = await failedRun(place, ["WrongDay", "--date", "2026-11-21"]);
  expect(ended.stderr).toMatch(/landing\.days: the dataset has 3 rows, but 0 have "ordered_at"/);
  expect(log.filter(({ msg }) => msg === "task:failed")).toHaveLength(1);
  expect(await place.warehouse("SELECT to_regclass('landing.days') AS found")).toEqual([
    { found: null },
  ]);
});

test("without a worker the run says which queues nobody listens to, and what to do", async () => {
  const place = await shopPlace();
  const run = startSluice(["run", ...load()], { env: { ...place.env, ...CONFIG } });
  await run.says(/no worker listens to the queue "copy" yet: start one with "sluice worker"/);
  await run.says(/no worker listens to the queue "load" yet/);
  const { code, stdout } = await run.end("SIGINT");
  expect(code).toBe(1);
  expect(stdout).toContain("This progress looks :| because there were tasks that were still");
});
