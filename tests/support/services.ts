/**
 * Real services for a test file, isolated from all other files: an own key prefix, own databases, own
 * buckets, own folders. All of it is removed after the file's last test; a database to which the
 * file left connections open fails the file.
 */

import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { Client, escapeIdentifier } from "pg";
import { inject } from "vitest";
import type { S3Settings } from "../../src/embedded/bucket.ts";
import { afterEveryFile } from "./closing.ts";

/** What the broker in `global-setup.ts` answers. */
export interface Addresses {
  readonly redis: { readonly url: string };
  readonly postgres: { readonly url: string };
  readonly s3: Omit<S3Settings, "bucket">;
  readonly redshift: { readonly url: string };
}

const disposals: (() => Promise<void>)[] = [];

afterEveryFile("services", async () => {
  const results = await Promise.allSettled(disposals.splice(0).map((dispose) => dispose()));
  const problems = results.flatMap((result) =>
    result.status === "rejected" ? [result.reason as unknown] : [],
  );
  if (problems.length > 0) throw new AggregateError(problems, problems.map(String).join("\n"));
});

/** Runs after the file's last test, when its own hooks have closed what they opened. */
export function disposeLast(dispose: () => Promise<void>): void {
  disposals.push(dispose);
}

/** URL of the run's Redis. Use it with a `keyPrefix()`. */
export async function redisUrl(): Promise<string> {
  return (await addressOf("redis")).url;
}

/** What all prefixes of the file begin with, so that one look at the keys finds its own. */
let beginning: string | undefined;

/** A prefix for keys, with one hash tag, that no other test has. Its keys are deleted in the end. */
export function keyPrefix(): string {
  if (beginning === undefined) {
    const ours = `{sluice-test-${uniqueName()}-`;
    beginning = ours;
    disposals.push(async () => {
      beginning = undefined;
      await deleteKeys(ours);
    });
  }
  return `${beginning}${uniqueName()}}`;
}

/** Connection URL of a new, empty database. Close every connection to it before the file ends. */
export async function freshDatabase(): Promise<string> {
  const { url } = await addressOf("postgres");
  const name = `test_${uniqueName()}`;
  await withClient(url, (client) => client.query(`CREATE DATABASE ${escapeIdentifier(name)}`));
  disposals.push(() => withClient(url, (client) => dropDatabase(client, name)));
  const fresh = new URL(url);
  fresh.pathname = `/${name}`;
  return fresh.href;
}

/**
 * A new, empty database behind the stand-in for Redshift: its `redshift:` URL, and that of the Postgres
 * behind it, for looks at what the stand-in does not show.
 */
export async function freshRedshift(): Promise<{
  readonly url: string;
  readonly postgresUrl: string;
}> {
  const postgresUrl = await freshDatabase();
  const url = new URL((await addressOf("redshift")).url);
  url.pathname = new URL(postgresUrl).pathname;
  return { url: url.href, postgresUrl };
}

/** Settings of a new, empty bucket. */
export async function freshBucket(): Promise<S3Settings> {
  const settings = { ...(await addressOf("s3")), bucket: `test-${uniqueName()}` };
  // Imported late: the AWS SDK is large, and most files need no bucket.
  const { createBucket } = await import("../../src/embedded/bucket.ts");
  await createBucket(settings);
  return settings;
}

/** A new folder. */
export function tempDir(): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-test-"));
  disposals.push(async () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function addressOf<Name extends keyof Addresses>(name: Name): Promise<Addresses[Name]> {
  const socketPath = inject("services");
  return new Promise((resolve, reject) => {
    get({ socketPath, path: `/${name}` }, (response) => {
      text(response).then((body) => {
        if (response.statusCode === 200) resolve(JSON.parse(body));
        else reject(new Error(`${name} did not start: ${body}`));
      }, reject);
    }).on("error", reject);
  });
}

async function withClient(
  connectionString: string,
  use: (client: Client) => Promise<unknown>,
): Promise<void> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    await use(client);
  } finally {
    await client.end();
  }
}

/** A closed connection takes a moment to vanish from the server; one that stays was leaked. */
async function dropDatabase(client: Client, name: string): Promise<void> {
  let open: readonly { application_name: string; state: string; query: string }[] = [];
  for (let wait = 0; wait < 20; wait += 1) {
    const { rows } = await client.query(
      "SELECT application_name, state, query FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'",
      [name],
    );
    open = rows;
    if (open.length === 0) break;
    await sleep(50);
  }
  await client.query(`DROP DATABASE ${escapeIdentifier(name)} WITH (FORCE)`);
  if (open.length > 0) {
    const list = open.map((each) => `"${each.application_name}" ${each.state}: ${each.query}`);
    throw new Error(`${open.length} connections were left open:\n  ${list.join("\n  ")}`);
  }
}

async function deleteKeys(prefix: string): Promise<void> {
  const redis = new Redis(await redisUrl());
  try {
    for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 1000 })) {
      if (Array.isArray(keys) && keys.length > 0) await redis.unlink(...keys.map(String));
    }
  } finally {
    await redis.quit();
  }
}

function uniqueName(): string {
  return randomBytes(6).toString("hex");
}
