/**
 * What the data benches run on: a private Postgres without fsync, whose one table is unlogged, and the
 * development S3 server in a process of its own. Everything is in one folder and goes with it.
 */
import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { Client } from "pg";
import { createBucket, type S3Settings } from "../../src/embedded/bucket.ts";
import { startPostgres } from "../../src/embedded/postgres/start-postgres.ts";
import { openStores } from "../../src/stores/open-stores.ts";
import { startS3Process } from "../../src/embedded/s3-process.ts";

export interface Services {
  readonly dir: string;
  readonly url: string;
  readonly s3: S3Settings;
  readonly version: string;
  readonly env: NodeJS.ProcessEnv;
  /** The server processes. */
  readonly pids: { readonly postgres: number; readonly s3: number };
  sql(text: string): Promise<Record<string, unknown>[]>;
  /** Writes the files of a dump into one file, as they are. */
  fetchDump(name: string, file: string): Promise<void>;
  /** Deletes what runs have put into S3, by the beginning of their names. */
  removeDumps(name: string): Promise<void>;
  stop(): Promise<void>;
}

export interface ServicesOptions {
  /** Whether clients come by TCP or by a local socket. */
  readonly tcp: boolean;
  /** What Postgres may keep in memory. */
  readonly bufferMegabytes: number;
}

export async function startServices(options: ServicesOptions): Promise<Services> {
  const { env } = process;
  const dir = mkdtempSync(path.join(tmpdir(), "sluice-bench-"));
  const keys = { accessKeyId: "BENCH", secretAccessKey: "bench-secret" };
  const postgres = await startPostgres({
    dir: path.join(dir, "postgres"),
    password: "bench",
    durable: false,
    settings: {
      shared_buffers: `${options.bufferMegabytes}MB`,
      // A relative folder of sockets is one below that of the data.
      unix_socket_directories: ".",
    },
    env,
  });
  const s3 = await startS3Process({ dir: path.join(dir, "s3"), ...keys, env });
  const bucket = { ...keys, endpoint: s3.endpoint, region: "us-east-1", bucket: "bench" };
  await createBucket(bucket);
  const sockets = path.join(dir, "postgres", "data");
  const address = postgres.urlOf("postgres");
  const url = options.tcp ? address : `${address}?host=${encodeURIComponent(sockets)}`;
  const stores = openStores({ s3: bucket });
  return {
    dir,
    url,
    s3: bucket,
    version: postgres.version,
    env,
    pids: { postgres: postgres.pid, s3: s3.pid },
    async sql(text) {
      const client = new Client({ connectionString: url });
      await client.connect();
      try {
        const result = await client.query(text);
        return Array.isArray(result) ? [] : result.rows;
      } finally {
        await client.end();
      }
    },
    async fetchDump(name, file) {
      await pipeline(async function* () {
        for await (const { key } of stores.s3.list(`dumps/${name}/`)) {
          if (/\.(gz|zst)$/.test(key)) yield* stores.s3.stream(key);
        }
      }, createWriteStream(file));
    },
    async removeDumps(name) {
      const keys: string[] = [];
      for (const prefix of [name, `dumps/${name}`]) {
        for await (const { key } of stores.s3.list(prefix)) keys.push(key);
      }
      await stores.s3.delete(keys);
    },
    async stop() {
      await stores.close();
      await Promise.all([s3.stop(), postgres.stop()]);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
