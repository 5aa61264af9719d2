/** docker-compose.yml and the image, held against what the code reads and the repository has. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { Script } from "node:vm";
import { parse } from "yaml";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { milliseconds } from "../../../src/core/duration.ts";
import { readSettings } from "../../../src/settings.ts";

const run = promisify(execFile);

const service = z.object({
  image: z.string(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
  stop_grace_period: z.string().optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  deploy: z.object({ replicas: z.number() }).optional(),
});
const file = z
  .object({ services: z.record(z.string(), service), volumes: z.record(z.string(), z.null()) })
  .parse(parse(readFileSync("docker-compose.yml", "utf8"), withDefault, { merge: true }));

const ours = Object.entries(file.services).filter(([, { image }]) => image === "sluice");

test("there are a scheduler, two workers, a dashboard, sample data, and the services they need", () => {
  expect(ours.map(([name, { command }]) => [name, command])).toEqual([
    ["scheduler", ["scheduler"]],
    ["worker", ["worker"]],
    ["seed", ["seed"]],
    ["dashboard", ["dashboard"]],
  ]);
  expect(file.services["worker"]?.deploy?.replicas).toBe(2);
  expect(file.services["redis"]?.command?.join(" ")).toMatch(
    /--appendonly yes .*--maxmemory-policy noeviction/,
  );
});

describe.each(ours)("%s", (_name, each) => {
  const { command = [], environment, stop_grace_period, depends_on } = each;
  const settings = readSettings(environment);

  test("its command is one of the command line's", async () => {
    const { stdout } = await run(process.execPath, ["bin/sluice.js", ...command, "--help"]);
    expect(stdout).toContain(`Usage: sluice ${command.join(" ")} [options]`);
  });

  test("every variable is one that Sluice reads, with a value that it takes", () => {
    const known = Object.keys(readSettings({ ...environment, SLUICE_WEBHOOK_URL: "https://x" }));
    expect(known).toEqual(expect.arrayContaining(Object.keys(environment)));
  });

  test("it is not killed before it has drained", () => {
    const patience = milliseconds(stop_grace_period ?? "10s", "stop_grace_period");
    expect(patience).toBeGreaterThan(settings.SLUICE_GRACE_PERIOD + 5_000);
  });

  test("it waits for services that are there and healthy", () => {
    for (const [name, { condition }] of Object.entries(depends_on)) {
      expect([name, condition]).toEqual([name, "service_healthy"]);
      expect(file.services[name]?.healthcheck).toBeDefined();
    }
    const urls = [settings.REDIS_URL, settings.SOURCE_URL, settings.WAREHOUSE_URL];
    const hosts = urls.map((url) => new URL(url?.reveal() ?? "").hostname);
    hosts.push(new URL(settings.AWS_ENDPOINT_URL_S3 ?? "").hostname);
    expect(Object.keys(depends_on)).toEqual(expect.arrayContaining(hosts));
  });
});

describe.each(ours.filter(([name]) => name !== "seed"))("%s stays up", (_name, each) => {
  const { environment, healthcheck } = each;
  const settings = readSettings(environment);

  test("its health check asks the port that it listens on", () => {
    const [runner, node, flag, script = ""] = healthcheck?.test ?? [];
    expect([runner, node, flag]).toEqual(["CMD", "node", "-e"]);
    expect(() => new Script(script)).not.toThrow();
    const port = settings.SLUICE_HEALTH_PORT ?? settings.SLUICE_DASHBOARD_PORT;
    expect(script).toContain(`fetch('http://127.0.0.1:${port}/healthz')`);
  });
});

test("databases have the users and names that the URLs name", () => {
  const { SOURCE_URL, WAREHOUSE_URL } = readSettings(file.services["worker"]?.environment ?? {});
  for (const [name, url] of Object.entries({ source: SOURCE_URL, warehouse: WAREHOUSE_URL })) {
    const { username, password, pathname } = new URL(url?.reveal() ?? "");
    expect(file.services[name]?.environment).toEqual({
      POSTGRES_USER: username,
      POSTGRES_PASSWORD: password,
      POSTGRES_DB: pathname.slice(1),
    });
  }
});

test("the S3 server has the keys and the bucket that workers use", () => {
  const worker = file.services["worker"]?.environment ?? {};
  expect(file.services["s3"]?.environment).toMatchObject({
    ROOT_ACCESS_KEY_ID: worker["AWS_ACCESS_KEY_ID"],
    ROOT_SECRET_ACCESS_KEY: worker["AWS_SECRET_ACCESS_KEY"],
  });
  expect(file.services["s3"]?.volumes).toEqual(file.services["bucket"]?.volumes);
  expect(readFileSync("docker-compose.yml", "utf8")).toContain(
    `entrypoint: [mkdir, -p, /data/${worker["SLUICE_BUCKET"]}]`,
  );
});

test("only the dashboard is published, and only to this machine", () => {
  const published = Object.entries(file.services).filter(([, { ports }]) => ports.length > 0);
  expect(published.map(([name, { ports }]) => [name, ports])).toEqual([
    ["dashboard", ["127.0.0.1:3400:3400"]],
  ]);
});

test("every volume is declared", () => {
  const used = Object.values(file.services).flatMap(({ volumes }) => volumes);
  const names = used.map((volume) => volume.split(":")[0]);
  expect(new Set(names)).toEqual(new Set(Object.keys(file.volumes)));
});

test("the image copies what is there, and its context lets it through", () => {
  const dockerfile = readFileSync("deploy/Dockerfile", "utf8");
  const allowed = readFileSync("deploy/Dockerfile.dockerignore", "utf8").split("\n");
  const copied = [...dockerfile.matchAll(/^COPY (.+) \S+$/gm)].flatMap(([, from = ""]) =>
    from.split(" "),
  );
  expect(copied).toEqual(expect.arrayContaining(["bin", "src", "workers", "dashboard"]));
  for (const path of copied) {
    expect(existsSync(path)).toBe(true);
    expect(allowed).toContain(`!${path}`);
  }
  const [, entry = ""] = /^ENTRYPOINT \["node", "([^"]+)"\]$/m.exec(dockerfile) ?? [];
  expect(existsSync(entry)).toBe(true);
  expect(dockerfile).toMatch(/^USER node$/m);
});

/** What `docker compose` makes of `${NAME:-default}` when NAME is not set. */
function withDefault(_key: unknown, value: unknown): unknown {
  return typeof value === "string" ? value.replace(/\$\{\w+:-([^}]*)\}/g, "$1") : value;
}

test("what the image compiles beforehand is all that it runs", async () => {
  const dockerfile = readFileSync("deploy/Dockerfile", "utf8");
  const [, folders = ""] = /^RUN node bin\/compile\.js (.+)$/m.exec(dockerfile) ?? [];
  const copied = [...dockerfile.matchAll(/^COPY (\w+) \.\/\w+$/gm)].map(([, folder]) => folder);
  expect(folders.split(" ")).toEqual(copied.filter((folder) => folder !== "bin"));
  const { stdout } = await run(process.execPath, ["bin/compile.js", ...folders.split(" ")]);
  expect(stdout).toMatch(/^src: \d{3} sources\nworkers: \d+ sources\ndashboard: \d+ sources\n/);
});
