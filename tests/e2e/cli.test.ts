/** What `sluice` says to mistakes, and what it prints, as a process: message, stream and exit code. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tempDir } from "../support/services.ts";
import { type Environment, REPOSITORY, sluice, start, startSluice } from "./support/command.ts";
import { freshPlace } from "./support/place.ts";
import { summaryOf } from "./support/summary.ts";

const CONFIG = "tests/e2e/pipelines/mistakes/sluice.config.ts";
/** No service is named, so a command that needs one would fail. */
const NOTHING: Environment = { SLUICE_CONFIG: CONFIG };

/** A mistake: exit code 2, the message alone on standard error, nothing on standard output. */
async function mistake(args: string, env: Environment = NOTHING): Promise<string> {
  const { code, stdout, stderr } = await sluice(args.split(" "), env);
  expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: "" });
  expect(stderr).not.toMatch(/^\s+at /m);
  return stderr.trimEnd();
}

test("names and values that are none are told with what was meant, and exit 2", async () => {
  const messages: Readonly<Record<string, string>> = {
    "run AllTask --date 2026-11-21": 'Unknown task "AllTask". Did you mean "AllTasks"?',
    "graph AllTasks --dat 2026-11-21": 'AllTasks has no parameter "--dat". Did you mean "--date"?',
    "graph AllTasks": 'AllTasks: parameter "date" is missing. It is a date (YYYY-MM-DD).',
    "graph AllTasks 2026-11-21":
      'AllTasks: "2026-11-21" is not expected here; parameters are given as --name value',
    "run AllTasks --date yesterday": 'AllTasks: expected date to be YYYY-MM-DD, got "yesterday"',
    "graph AllTasks --date=2026-02-30":
      'AllTasks: expected date to be YYYY-MM-DD, got "2026-02-30"',
    "worker --queues lod": 'No task of the project uses the queue "lod". Did you mean "load"?',
    scheduler:
      'The project has no schedules: add "schedules: [daily(AllTasks, { at: "02:30" })]" to its defineConfig',
    "sql Forgetful --date 2026-11-21":
      'Forgetful does not say which SQL it executes: declare "sql" beside its "output"',
  };
  for (const [args, message] of Object.entries(messages)) {
    expect(await mistake(args)).toBe(message);
  }
});

test("a command that is unknown, or incomplete, is told where to look", async () => {
  expect(await mistake("rnu AllTasks")).toMatch(/unknown command 'rnu'\n\(Did you mean run\?\)/);
  expect(await mistake("run")).toMatch(/missing required argument 'task'/);
  expect(await mistake("graph AllTasks --format svg")).toMatch(/mermaid, dot, json/);
  expect(await mistake("run AllTasks --workers many")).toMatch(/expected a whole number/);
});

test("a reader that has read enough, as head does, is no error", async () => {
  const { code, stdout, stderr } = await start(
    ["bash", "-o", "pipefail", "-c", `"${process.execPath}" bin/sluice.js --help | true`],
    { env: {}, cwd: REPOSITORY },
  ).ended;
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "", stderr: "" });
});

test("--help shows every command and the exit codes, and exits 0", async () => {
  const { code, stdout } = await sluice(["--help"], {});
  expect(code).toBe(0);
  for (const name of ["run", "plan", "graph", "sql", "worker", "scheduler", "dashboard"]) {
    expect(stdout).toMatch(new RegExp(`^  ${name} `, "m"));
  }
  expect(stdout).toContain("Exit codes: 0 done, 1 a task failed, 2 usage, 3 a service");
});

test("a project that is missing or broken is named, with the reason", async () => {
  const folder = tempDir();
  const broken = (name: string, text: string) => {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "package.json"), '{ "type": "module" }');
    const file = join(folder, name, "sluice.config.ts");
    writeFileSync(file, text);
    return file;
  };
  const load = (file: string) => mistake(`graph AllTasks --config ${file}`, {});

  expect(await load("nowhere.ts")).toBe(
    "There is no nowhere.ts: go to the folder of your pipeline, or name its configuration with --config",
  );
  const throwing = broken("throwing", 'throw new Error("no team is set");');
  expect(await load(throwing)).toBe(`${throwing} cannot be loaded: no team is set`);
  expect(await load(broken("syntax", "export default {"))).toMatch(
    /syntax\/sluice\.config\.ts cannot be loaded: .*(Unexpected|Expected)/s,
  );
  expect(await load(broken("missing", 'import "./tasks.ts";'))).toMatch(
    /cannot be loaded: .*Cannot find module .*missing\/tasks\.ts/,
  );
  const empty = broken("empty", "export const tasks = [];");
  expect(await load(empty)).toBe(
    `${empty} does not export a project: end it with "export default defineConfig({ tasks })"`,
  );
});

test("settings that are missing or wrong are named, and no password is shown", async () => {
  const place = await freshPlace();
  const run = "run AllTasks --date 2026-11-21";
  expect(await mistake(run)).toBe(
    'REDIS_URL is not set. Set it, or use the development stack: "npm run dev", or --dev',
  );
  const { SOURCE_URL: _, WAREHOUSE_URL: __, ...withoutDatabases } = place.env;
  expect(await mistake(run, { ...withoutDatabases, ...NOTHING })).toMatch(/WAREHOUSE_URL/);
  const wrong = (change: Environment) => mistake(run, { ...place.env, ...NOTHING, ...change });
  for (const [name, value] of [
    ["REDIS_URL", "default:canary@host:6379"],
    ["WAREHOUSE_URL", "postgres://me:canary#1@host/db"],
  ] as const) {
    const told = await wrong({ [name]: value });
    expect(told).toMatch(name);
    expect(told).not.toContain("canary");
  }
  expect(await wrong({ SLUICE_CONCURRENCY: "all" })).toMatch(
    /^Wrong settings: SLUICE_CONCURRENCY: /,
  );
  expect(await wrong({ SLUICE_PREFIX: "sluice" })).toMatch(/"sluice" cannot be the key prefix/);
});

test("a cycle is shown by its path, and nothing is enqueued", async () => {
  const place = await freshPlace();
  const path = "Tasks depend on each other in a circle: Chicken() -> Egg() -> Chicken()";
  expect(await mistake("run Chicken", { ...place.env, ...NOTHING })).toBe(path);
  expect(await mistake("graph Chicken")).toBe(path);
  expect(await place.redisKeys()).toEqual([]);
});

test("graph draws in three formats, and needs no service", async () => {
  const graph = async (...format: string[]) => {
    const args = ["graph", "AllTasks", "--date", "2026-11-21", ...format];
    const { code, stdout, stderr } = await sluice(args, NOTHING);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return stdout;
  };
  const mermaid = await graph();
  expect(mermaid).toMatch(/^flowchart LR\n/);
  expect(mermaid).toContain('["Load(table=shop.orders, date=2026-11-21)"]:::absent');
  expect(mermaid.match(/ --> /g)).toHaveLength(4);
  expect(await graph("--format", "mermaid")).toBe(mermaid);

  const dot = await graph("--format", "dot");
  expect(dot).toMatch(/^digraph sluice \{\n[^]*\}\n$/);
  expect(dot.match(/ -> /g)).toHaveLength(4);

  const json = JSON.parse(await graph("--format=json"));
  expect(json.root).toMatch(/^AllTasks_2026_11_21_[0-9a-f]{10}$/);
  expect(json.tasks).toHaveLength(5);
  expect(json.tasks[0]).toMatchObject({
    id: json.root,
    name: "AllTasks(date=2026-11-21)",
    params: { date: "2026-11-21" },
    requires: [json.tasks[1].id, json.tasks[2].id],
  });
});

test("sql prints the statements, with secrets masked, and executes none", async () => {
  const place = await freshPlace();
  const env = { ...place.env, ...NOTHING };
  await place.source("CREATE SCHEMA shop; CREATE TABLE shop.orders (id int, note text)");
  const sql = async (task: string) => {
    const { code, stdout, stderr } = await sluice(["sql", ...task.split(" ")], env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return stdout.trimEnd().split("\n");
  };
  const dump = await sql("Dump --table shop.orders --date 2026-11-21");
  expect(dump.every((line) => line.endsWith(";"))).toBe(true);
  expect(dump.at(-2)).toMatch(/^COPY \(SELECT "id", "note" FROM .*\) TO STDOUT/);
  expect(dump.at(-1)).toBe("COMMIT;");

  expect(await sql("Secretive --date 2026-11-21")).toEqual([
    "COPY landing.orders FROM 's3://lake/2026-11-21' CREDENTIALS 'aws_secret_access_key=***';",
    "CREATE USER reader PASSWORD ***;",
  ]);
  expect(await place.warehouse("SELECT FROM pg_user WHERE usename = 'reader'")).toEqual([]);

  const unknown = await sluice(
    ["sql", "Dump", "--table", "shop.ordres", "--date", "2026-11-21"],
    env,
  );
  expect(unknown).toMatchObject({ code: 1, stdout: "" });
  expect(unknown.stderr).toMatch(/Did you mean "?shop\.orders"?\?/);
});

test("plan says what would run, then why nothing would; run --json ends with one line", async () => {
  const place = await freshPlace();
  const env = { ...place.env, ...NOTHING };
  await place.source(
    `CREATE SCHEMA shop;
     CREATE TABLE shop.orders AS SELECT n AS id, 'é' || n AS note FROM generate_series(1, 70) AS n;
     CREATE TABLE shop.products AS SELECT n AS id FROM generate_series(1, 30) AS n`,
  );
  const task = ["AllTasks", "--date", "2026-11-21"];

  const before = await sluice(["plan", ...task], env);
  expect(before.code).toBe(0);
  expect(before.stdout).toMatch(
    /^AllTasks\(date=2026-11-21\): 5 tasks, 5 would run, 0 would not\n/,
  );
  expect(before.stdout).toMatch(/1 {2}copy +Dump\(table=shop\.orders, date=2026-11-21\)\n/);
  const planned = JSON.parse((await sluice(["plan", ...task, "--json"], env)).stdout);
  expect(planned.run.map(({ queue }: { queue: string }) => queue)).toEqual([
    "copy",
    "copy",
    "load",
    "load",
    "default",
  ]);
  expect(planned.rest).toEqual([]);
  expect(await place.redisKeys()).toEqual([]);

  startSluice(["worker"], { env });
  const ran = await sluice(["run", ...task, "--json"], env);
  expect(ran.code).toBe(0);
  expect(ran.stdout.trimEnd().split("\n")).toHaveLength(1);
  expect(ran.stderr).toContain("===== Sluice Execution Summary =====");
  expect(ran.stderr).toContain("This progress looks :) because there were no failed tasks");
  const summary = summaryOf(ran);
  expect(Object.keys(summary)).toEqual(["root", "status", "tasks", "rows", "seconds"]);
  expect(summary).toMatchObject({
    root: planned.root,
    status: "done",
    tasks: { done: 5, ran: 5, complete: 0, failed: 0, pending: 0 },
    rows: 200,
  });

  const after = await sluice(["plan", ...task], env);
  expect(after.stdout).toMatch(/: 1 task, 0 would run, 1 would not\n\ncomplete already \(1\):\n/);
  const again = await sluice(["run", ...task], env);
  expect(again.code).toBe(0);
  expect(again.stdout).toContain("* 5 complete ones were encountered:");
  expect(again.stdout).toContain("Did not run any tasks");
});
