/** What a chaos run has of its own: one Postgres and one S3 server for all seeds, a Redis for each. */
import { mkdirSync, readdirSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { Client } from "pg";
import { createBucket } from "../../src/embedded/bucket.ts";
import { createDatabases } from "../../src/embedded/postgres/create-database.ts";
import { type PostgresServer, startPostgres } from "../../src/embedded/postgres/start-postgres.ts";
import { type RedisServer, startRedis } from "../../src/embedded/redis/start-redis.ts";
import { type S3Process, startS3Process } from "../../src/embedded/s3-process.ts";

const PASSWORD = "chaos";
const KEYS = { accessKeyId: "AKIDCHAOS", secretAccessKey: "chaos-secret-access-key" };

export class SharedServices {
  readonly postgres: PostgresServer;
  readonly s3: S3Process;

  private constructor(postgres: PostgresServer, s3: S3Process) {
    this.postgres = postgres;
    this.s3 = s3;
  }

  static async start(dir: string): Promise<SharedServices> {
    const common = { password: PASSWORD, env: process.env };
    const [postgres, s3] = await Promise.all([
      startPostgres({ dir: join(dir, "postgres"), durable: false, ...common }),
      startS3Process({ dir: join(dir, "s3"), env: process.env, ...KEYS }),
    ]);
    return new SharedServices(postgres, s3);
  }

  /** An empty database with the table that tasks insert into, and an empty bucket. */
  async prepare(name: string): Promise<void> {
    await createDatabases(this.postgres, [name]);
    await this.query(name, "CREATE TABLE inserted (node int, attempt text, row int, value bigint)");
    await createBucket({ ...this.s3Settings(), bucket: bucketOf(name) });
  }

  async discard(name: string): Promise<void> {
    await this.query("postgres", `DROP DATABASE ${name} WITH (FORCE)`);
  }

  async query(database: string, sql: string): Promise<readonly Record<string, unknown>[]> {
    const client = new Client({ connectionString: this.postgres.urlOf(database) });
    client.on("error", () => {});
    await client.connect();
    try {
      const { rows } = await client.query<Record<string, unknown>>(sql);
      return rows;
    } finally {
      await client.end();
    }
  }

  s3Settings() {
    return { endpoint: this.s3.endpoint, region: "us-east-1", ...KEYS };
  }

  async stop(): Promise<void> {
    await Promise.all([this.postgres.stop(), this.s3.stop()]);
  }
}

export function bucketOf(name: string): string {
  return name.replaceAll("_", "-");
}

/** The Redis of a seed, with an append-only file that survives its deaths. */
export class PrivateRedis {
  readonly #dir: string;
  #server: RedisServer;
  /** Straight to the server, and quick to give up. */
  #client: Redis;

  private constructor(dir: string, server: RedisServer) {
    this.#dir = dir;
    this.#server = server;
    this.#client = connect(server);
  }

  static async start(dir: string): Promise<PrivateRedis> {
    mkdirSync(dir, { recursive: true });
    return new PrivateRedis(dir, await startRedis({ dir, password: PASSWORD, env: process.env }));
  }

  get url(): string {
    return this.#server.url;
  }

  get port(): number {
    return this.#server.port;
  }

  get client(): Redis {
    return this.#client;
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.#server.pid, name);
  }

  /** `kill -9`, and a start on what the file has; `keep` is how much of the file's end-less part. */
  async crash(milliseconds: number, keep = 1): Promise<void> {
    this.#client.disconnect();
    this.signal("SIGKILL");
    await this.#server.stop();
    if (keep < 1) {
      const folder = join(this.#dir, "appendonlydir");
      for (const file of readdirSync(folder).filter((name) => name.endsWith(".incr.aof"))) {
        const path = join(folder, file);
        truncateSync(path, Math.floor(statSync(path).size * keep));
      }
    }
    await sleep(milliseconds);
    this.#server = await startRedis({ dir: this.#dir, password: PASSWORD, env: process.env });
    this.#client = connect(this.#server);
  }

  async stop(): Promise<void> {
    this.#client.disconnect();
    this.signal("SIGCONT");
    await this.#server.stop();
  }
}

function connect({ url }: RedisServer): Redis {
  const client = new Redis(url, { commandTimeout: 1_000, maxRetriesPerRequest: 1 });
  client.on("error", () => {});
  return client;
}
