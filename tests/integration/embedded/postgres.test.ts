import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";
import { postgresAccount } from "../../../src/embedded/postgres/account.ts";
import { createDatabases } from "../../../src/embedded/postgres/create-database.ts";
import {
  type PostgresOptions,
  startPostgres,
} from "../../../src/embedded/postgres/start-postgres.ts";
import { tempDir } from "../../support/services.ts";

const asRoot = process.getuid?.() === 0;

function options(dir: string, durable = false): PostgresOptions {
  return { dir, password: "p@ss/word 1", durable, env: process.env };
}

async function valueOf(connectionString: string, sql: string): Promise<unknown> {
  const client = new Client({ connectionString });
  await client.connect();
  const { rows } = await client.query({ text: sql, rowMode: "array" });
  await client.end();
  return rows[0]?.[0];
}

test("databases are created once, and a name may be any text", async () => {
  const server = await startPostgres(options(tempDir()));
  onTestFinished(server.stop);
  const name = 'über "shop"';
  await createDatabases(server, [name]);
  await createDatabases(server, [name, "second"]);
  expect(await valueOf(server.urlOf(name), "SELECT current_database()")).toBe(name);
});

test("a wrong password is refused", async () => {
  const server = await startPostgres(options(tempDir()));
  onTestFinished(server.stop);
  const url = new URL(server.urlOf("postgres"));
  url.password = "wrong";
  await expect(valueOf(url.href, "SELECT 1")).rejects.toThrow("password authentication failed");
});

test("only a durable server waits for the disk", async () => {
  const dir = tempDir();
  for (const [durable, fsync] of [
    [false, "off"],
    [true, "on"],
  ] as const) {
    const server = await startPostgres(options(dir, durable));
    const actual = await valueOf(server.urlOf("postgres"), "SHOW fsync");
    await server.stop();
    expect(actual).toBe(fsync);
  }
});

test("a stale postmaster.pid whose pid now belongs to somebody else does not stop the start", async () => {
  const dir = tempDir();
  const first = await startPostgres(options(dir));
  const file = join(dir, "data", "postmaster.pid");
  const left = readFileSync(file, "utf8");
  await first.stop();
  writeFileSync(file, left.replace(/^\d+/, String(process.pid)));
  const second = await startPostgres(options(dir));
  onTestFinished(second.stop);
  expect(await valueOf(second.urlOf("postgres"), "SELECT 1")).toBe(1);
});

test("a server that an earlier start left running is never joined by a second one", async () => {
  const dir = tempDir();
  const first = await startPostgres(options(dir));
  onTestFinished(first.stop);
  await expect(startPostgres(options(dir))).rejects.toThrow(
    `Postgres of an earlier start still runs (pid ${first.pid}`,
  );
});

test("a server that cannot start says why, by the end of its log", async () => {
  const dir = tempDir();
  await (await startPostgres(options(dir))).stop();
  writeFileSync(join(dir, "data", "postgresql.conf"), "no_such_setting = 1\n");
  await expect(startPostgres(options(dir))).rejects.toThrow(
    /Postgres did not start.*\n.*no_such_setting/s,
  );
});

test.runIf(asRoot)("root without an unprivileged user to run it as is told so", () => {
  const passwd = join(tempDir(), "passwd");
  writeFileSync(passwd, "root:x:0:0:root:/root:/bin/sh\n");
  expect(() => postgresAccount(passwd)).toThrow(/neither a user "postgres" nor "nobody"/);
});

test.runIf(asRoot)("a user without a name is told that Postgres needs one", () => {
  const script = `import { postgresAccount } from ${JSON.stringify(
    new URL("../../../src/embedded/postgres/account.ts", import.meta.url).href,
  )}; try { postgresAccount(); } catch (error) { process.stdout.write(error.message); }`;
  const output = execFileSync(
    process.execPath,
    ["--import", "sluice/typescript", "--input-type=module", "--eval", script],
    {
      uid: 54_321,
      gid: 54_321,
      cwd: fileURLToPath(new URL("../../..", import.meta.url)),
      encoding: "utf8",
    },
  );
  expect(output).toMatch(/^Postgres needs a user with a name, and user 54321 has no entry/);
});
