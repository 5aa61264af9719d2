import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { Redis } from "ioredis";
import { Client } from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Part } from "../../../src/embedded/part.ts";
import { processIdentity } from "../../../src/embedded/process-identity.ts";
import { type StackSettings, startStack } from "../../../src/embedded/stack.ts";
import { tempDir } from "../../support/services.ts";

type Variables = Readonly<Record<string, string>>;

const env = process.env;
const everythingGiven = {
  redisUrl: "redis://:hush@redis.example:6379/2",
  sourceUrl: "postgres://reader:hush@source.example/shop",
  warehouseUrl: "redshift://loader:hush@warehouse.example:5439/dev",
  s3: { bucket: "lake", region: "eu-central-1" },
} satisfies StackSettings;

describe("a stack whose services are all given", () => {
  test("starts nothing, touches no folder, and hands the settings on", async () => {
    const dir = join(tempDir(), "never-made");
    const stack = await startStack({ dir, settings: everythingGiven, env });
    expect(stack.environment).toEqual({
      REDIS_URL: everythingGiven.redisUrl,
      SOURCE_URL: everythingGiven.sourceUrl,
      WAREHOUSE_URL: everythingGiven.warehouseUrl,
      SLUICE_BUCKET: "lake",
      AWS_REGION: "eu-central-1",
    });
    expect(stack.parts.map((part) => [part.name, part.address, part.started])).toEqual([
      ["Redis", "redis.example:6379/2", false],
      ["Source", "source.example/shop", false],
      ["Warehouse", "warehouse.example:5439/dev", false],
      ["S3", "AWS/lake", false],
    ]);
    expect(() => statSync(dir)).toThrow("ENOENT");
    await stack.stop();
  });

  test("names the variable that holds no URL, and not the value", async () => {
    const settings = { ...everythingGiven, sourceUrl: "user:hush@nowhere" };
    const start = startStack({ dir: tempDir(), settings: { ...settings, redisUrl: "hush" }, env });
    await expect(start).rejects.toThrow(/^REDIS_URL is not a URL(?!.*hush)/);
  });
});

test("a stack of which only the source is given starts the rest, and no database for the source", async () => {
  const { redisUrl: _, warehouseUrl: __, s3: ___, ...settings } = everythingGiven;
  const reported: Part[] = [];
  const dir = tempDir();
  const stack = await startStack({ dir, settings, env, report: (part) => reported.push(part) });
  onTestFinished(stack.stop);
  expect(reported).toEqual(stack.parts);
  const started = stack.parts.filter((part) => part.started).map((part) => part.name);
  expect(started.sort()).toEqual(["Redis", "S3", "Warehouse"]);
  const client = new Client({ connectionString: stack.environment["WAREHOUSE_URL"] });
  await client.connect();
  const { rows } = await client.query("SELECT datname FROM pg_database WHERE NOT datistemplate");
  await client.end();
  expect(rows.map((row: { datname: string }) => row.datname).sort()).toEqual([
    "postgres",
    "warehouse",
  ]);
  // Secrets stay in the environment and in one private file.
  const credentials = join(dir, "credentials.json");
  expect(statSync(credentials).mode & 0o777).toBe(0o600);
  const secrets = Object.values(JSON.parse(readFileSync(credentials, "utf8"))).map(String);
  const shown = JSON.stringify(stack.parts);
  expect(secrets.filter((secret) => shown.includes(secret))).toEqual([]);
});

test("kill -9 of the command ends its servers within a second, and the next start finds the data", async () => {
  const dir = tempDir();
  const first = await heldStack(dir);
  await write(first.environment);
  const servers = serversOf(first.environment);
  expect(await Promise.all(servers.map(listens))).toEqual(servers.map(() => true));
  const pids = serverPids(dir);
  first.process.kill("SIGKILL");
  await sleep(1000);
  expect(await Promise.all(servers.map(listens))).toEqual(servers.map(() => false));
  expect(pids.map(processIdentity)).toEqual(pids.map(() => undefined));

  const second = await heldStack(dir);
  expect(await read(second.environment)).toEqual({ redis: "kept", source: "kept", s3: "kept" });
});

test("a start right after kill -9, while the old servers are still ending, works too", async () => {
  const dir = tempDir();
  const first = await heldStack(dir);
  await write(first.environment);
  first.process.kill("SIGKILL");
  const second = await heldStack(dir);
  expect(await read(second.environment)).toEqual({ redis: "kept", source: "kept", s3: "kept" });
});

test("a folder in use is refused with the pid of its user", async () => {
  const dir = tempDir();
  const holder = await heldStack(dir);
  await expect(startStack({ dir, settings: {}, env })).rejects.toThrow(
    `${dir} is in use by another command (pid ${holder.process.pid})`,
  );
});

test("a stack that was stopped leaves no process and no lock", async () => {
  const dir = tempDir();
  const stack = await startStack({ dir, settings: {}, env });
  const pids = serverPids(dir);
  await stack.stop();
  expect(pids.map(processIdentity)).toEqual(pids.map(() => undefined));
  expect(() => statSync(join(dir, "stack.lock"))).toThrow("ENOENT");
});

test("when one part cannot start, the others are ended and the error says what to do", async () => {
  const dir = tempDir();
  const redis = join(dir, "fake-bin", "redis-server");
  mkdirSync(join(dir, "fake-bin"));
  writeFileSync(redis, "#!/bin/sh\necho cannot run here\nexit 1\n", { mode: 0o755 });
  const start = startStack({ dir, settings: {}, env, redisFolders: [join(dir, "fake-bin")] });
  await expect(start).rejects.toThrow(/Redis did not start.*\ncannot run here/);
  expect(() => statSync(join(dir, "postgres", "data", "postmaster.pid"))).toThrow("ENOENT");
  expect(() => statSync(join(dir, "stack.lock"))).toThrow("ENOENT");
});

/** A stack in a process of its own, which is killed after the test at the latest. */
async function heldStack(dir: string): Promise<{ process: ChildProcess; environment: Variables }> {
  const script = fileURLToPath(new URL("./stack-child.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "sluice/typescript", script, dir], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [line] = await once(createInterface(child.stdout), "line");
  return { process: child, environment: JSON.parse(String(line)) };
}

async function write(variables: Variables): Promise<void> {
  const redis = new Redis(variables["REDIS_URL"]!);
  await redis.set("mark", "kept");
  // Once a second the append-only file is synced; a write is in it after the reply.
  redis.disconnect();
  await withSource(variables, "CREATE TABLE mark AS SELECT 'kept' AS value");
  await s3Of(variables).send(
    new PutObjectCommand({ Bucket: variables["SLUICE_BUCKET"]!, Key: "mark", Body: "kept" }),
  );
}

async function read(variables: Variables): Promise<Record<string, unknown>> {
  const redis = new Redis(variables["REDIS_URL"]!);
  const mark = await redis.get("mark");
  redis.disconnect();
  const object = await s3Of(variables).send(
    new GetObjectCommand({ Bucket: variables["SLUICE_BUCKET"]!, Key: "mark" }),
  );
  return {
    redis: mark,
    source: await withSource(variables, "SELECT value FROM mark"),
    s3: await object.Body?.transformToString(),
  };
}

async function withSource(variables: Variables, sql: string): Promise<unknown> {
  const client = new Client({ connectionString: variables["SOURCE_URL"] });
  await client.connect();
  const { rows } = await client.query(sql);
  await client.end();
  return rows[0]?.value;
}

function s3Of(variables: Variables): S3Client {
  return new S3Client({
    endpoint: variables["AWS_ENDPOINT_URL_S3"]!,
    region: variables["AWS_REGION"]!,
    credentials: {
      accessKeyId: variables["AWS_ACCESS_KEY_ID"]!,
      secretAccessKey: variables["AWS_SECRET_ACCESS_KEY"]!,
    },
    forcePathStyle: true,
  });
}

function serversOf(variables: Variables): readonly URL[] {
  return ["REDIS_URL", "SOURCE_URL", "AWS_ENDPOINT_URL_S3"].map(
    (name) => new URL(variables[name]!),
  );
}

async function listens({ hostname, port }: URL): Promise<boolean> {
  const socket = connect(Number(port), hostname);
  const answer = new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  });
  return answer.finally(() => socket.destroy());
}

function serverPids(dir: string): readonly number[] {
  return ["redis/redis.pid", "postgres/postgres.pid"].map((file) =>
    Number(readFileSync(join(dir, file), "utf8").split(" ")[0]),
  );
}
