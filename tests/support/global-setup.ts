/**
 * One private Redis, Postgres, S3 server and stand-in for Redshift for the whole run, each started when the first test asks
 * for it: a run of pure tests starts nothing. Test files reach this broker over a local socket. Never
 * the servers of the machine: tests drop databases and flush keys.
 */

import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import type { Addresses } from "./services.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Path of the broker's socket. */
    services: string;
  }
}

type Service = keyof Addresses;

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const root = await mkdtemp(join(tmpdir(), "sluice-test-"));
  const socket = join(root, "services.sock");
  const stops: (() => Promise<void>)[] = [];
  const common = { password: "test", env: process.env };

  const begun: Promise<unknown>[] = [];
  const once = <T>(start: () => Promise<T>): (() => Promise<T>) => {
    let answer: Promise<T> | undefined;
    return () => {
      if (answer === undefined) begun.push((answer = start()));
      return answer;
    };
  };

  // Imported late, so that a run of pure tests loads none of it.
  const redis = once(async () => {
    const { startRedis } = await import("../../src/embedded/redis/start-redis.ts");
    const server = await startRedis({ dir: join(root, "redis"), ...common });
    stops.push(server.stop);
    return { url: server.url };
  });
  const postgres = once(async () => {
    const { startPostgres } = await import("../../src/embedded/postgres/start-postgres.ts");
    const server = await startPostgres({ dir: join(root, "pg"), durable: false, ...common });
    stops.push(server.stop);
    return { url: server.urlOf("postgres") };
  });
  const s3 = once(async () => {
    const credentials = { accessKeyId: "AKIDTEST", secretAccessKey: "test-secret-access-key" };
    const { startS3Process } = await import("../../src/embedded/s3-process.ts");
    const server = await startS3Process({ dir: join(root, "s3"), ...credentials, ...common });
    stops.push(server.stop);
    return { endpoint: server.endpoint, region: "us-east-1", ...credentials };
  });
  const redshift = once(async () => {
    const { startRedshiftStandIn } = await import("../../src/embedded/redshift/stand-in.ts");
    const server = await startRedshiftStandIn({
      postgresUrl: (await postgres()).url,
      s3: await s3(),
    });
    stops.push(server.stop);
    return { url: server.url };
  });
  const starters: { [Name in Service]: () => Promise<Addresses[Name]> } = {
    redis,
    postgres,
    s3,
    redshift,
  };

  const broker = createServer((request, response) => {
    const name = request.url?.slice(1) ?? "";
    const answer = isService(name)
      ? starters[name]()
      : Promise.reject(new Error(`no service is called "${name}"`));
    answer.then(
      (address) => response.end(JSON.stringify(address)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => {
    broker.listen(socket, resolve);
  });
  project.provide("services", socket);

  return async () => {
    broker.close();
    await Promise.allSettled(begun);
    await Promise.all(stops.map((stop) => stop()));
    rmSync(root, { recursive: true, force: true });
  };

  function isService(name: string): name is Service {
    return name in starters;
  }
}
