/**
 * The services that the stack starts itself, each in its own folder below the stack's. One that
 * started and cannot be made ready is ended before the error is thrown.
 */

import { join } from "node:path";
import type { Environment } from "./cache-folder.ts";
import type { Credentials } from "./credentials.ts";
import type { Piece } from "./part.ts";

/** The stack's folder, ours alone while the stack is up. */
export interface StackFolder {
  readonly dir: string;
  readonly credentials: Credentials;
  readonly env: Environment;
  readonly redisFolders: readonly string[] | undefined;
}

const region = "us-east-1";
const bucket = "sluice";

export async function embeddedRedis(folder: StackFolder): Promise<Piece> {
  const { startRedis } = await import("./redis/start-redis.ts");
  const server = await startRedis({
    dir: join(folder.dir, "redis"),
    password: folder.credentials.redisPassword,
    env: folder.env,
    folders: folder.redisFolders,
  });
  return {
    parts: [
      {
        name: "Redis",
        address: `127.0.0.1:${server.port}`,
        detail: `${server.version}, ${server.program.command}`,
        started: true,
      },
    ],
    variables: { REDIS_URL: server.url },
    stop: server.stop,
  };
}

/**
 * One Postgres cluster with a database for each of the names. That of the warehouse is no part of its
 * own: the stand-in for Redshift is put before it.
 */
export async function embeddedDatabases(
  folder: StackFolder,
  names: readonly ("Source" | "Warehouse")[],
): Promise<Piece> {
  const [{ startPostgres }, { createDatabases }] = await Promise.all([
    import("./postgres/start-postgres.ts"),
    import("./postgres/create-database.ts"),
  ]);
  const server = await startPostgres({
    dir: join(folder.dir, "postgres"),
    password: folder.credentials.postgresPassword,
    durable: false,
    env: folder.env,
  });
  const databases = names.map((name) => databaseNames[name]);
  await orStop(server.stop, createDatabases(server, databases));
  return {
    parts: names
      .filter((name) => name === "Source")
      .map((name) => ({
        name,
        address: `127.0.0.1:${server.port}/${databaseNames[name]}`,
        detail: `Postgres ${server.version}`,
        started: true,
      })),
    variables: Object.fromEntries(
      names.map((name) => [`${name.toUpperCase()}_URL`, server.urlOf(databaseNames[name])]),
    ),
    stop: server.stop,
  };
}

const databaseNames = { Source: "shop", Warehouse: "warehouse" } as const;

/** The stand-in for Redshift, before the database that is the warehouse until now. */
export async function embeddedRedshift(
  environment: Readonly<Record<string, string>>,
): Promise<Piece> {
  const { startRedshiftStandIn } = await import("./redshift/stand-in.ts");
  const { WAREHOUSE_URL: postgresUrl = "", AWS_REGION, AWS_ENDPOINT_URL_S3 } = environment;
  const { url, stop } = await startRedshiftStandIn({
    postgresUrl,
    s3: {
      region: AWS_REGION ?? region,
      endpoint: AWS_ENDPOINT_URL_S3,
      accessKeyId: environment["AWS_ACCESS_KEY_ID"],
      secretAccessKey: environment["AWS_SECRET_ACCESS_KEY"],
    },
  });
  const { host, pathname } = new URL(url);
  return {
    parts: [
      {
        name: "Warehouse",
        address: `${host}${pathname}`,
        detail: "a stand-in for Redshift, not Redshift: docs/stand-in.md",
        started: true,
      },
    ],
    variables: { WAREHOUSE_URL: url },
    stop,
  };
}

export async function embeddedS3(folder: StackFolder): Promise<Piece> {
  const [{ startS3Process }, { createBucket }] = await Promise.all([
    import("./s3-process.ts"),
    import("./bucket.ts"),
  ]);
  const { accessKeyId, secretAccessKey } = folder.credentials;
  const server = await startS3Process({
    dir: join(folder.dir, "s3"),
    accessKeyId,
    secretAccessKey,
    env: folder.env,
  });
  const { endpoint, stop } = server;
  await orStop(stop, createBucket({ endpoint, region, accessKeyId, secretAccessKey, bucket }));
  return {
    parts: [
      {
        name: "S3",
        address: `${new URL(endpoint).host}/${bucket}`,
        detail: "Sluice's development server",
        started: true,
      },
    ],
    variables: {
      SLUICE_BUCKET: bucket,
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    },
    stop,
  };
}

async function orStop(stop: () => Promise<void>, step: Promise<void>): Promise<void> {
  try {
    await step;
  } catch (error) {
    await stop();
    throw error;
  }
}
