/**
 * Starts the stand-in: a server that speaks Redshift's dialect of the Postgres protocol, with a real
 * Postgres behind it for everything but what is Redshift's own. For development and tests; it models no
 * cluster, no performance and no rights.
 */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { Client } from "pg";
import { messageOf, SluiceError, UsageError } from "../../core/errors.ts";
import type { Backend, PostgresHost } from "./backend.ts";
import { Conflicts } from "./conflicts.ts";
import { fatal, shakeHands } from "./handshake.ts";
import type { StandInS3 } from "./s3-access.ts";
import { Session } from "./session.ts";
import { SqlError } from "./sql-error.ts";
import { Channel, ClosedError } from "./wire/channel.ts";

export interface RedshiftStandInOptions {
  /** A Postgres 14 or later, as its superuser. Its databases are the stand-in's databases. */
  readonly postgresUrl: string;
  /** What COPY and UNLOAD reach when they name a role. */
  readonly s3: StandInS3;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** Default: a free one. */
  readonly port?: number;
}

export interface RedshiftStandIn {
  /** `redshift://user:password@host:port/database`, the user and password being Postgres's. */
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** Resolves when it listens. */
export async function startRedshiftStandIn(
  options: RedshiftStandInOptions,
): Promise<RedshiftStandIn> {
  const standIn = new StandIn(options);
  const port = await standIn.listen(options.host ?? "127.0.0.1", options.port ?? 0);
  const url = new URL(options.postgresUrl);
  url.hostname = options.host ?? "127.0.0.1";
  url.port = String(port);
  return {
    url: url.href.replace(/^[a-z]+:/, "redshift:"),
    stop: () => standIn.stop(),
  };
}

/** Part of what a database is prepared with is one's tables' types: it cannot be replaced underneath them. */
const systemObjects = () => {
  const sql = readFileSync(new URL("./system-objects.sql", import.meta.url), "utf8");
  return { sql, version: createHash("sha256").update(sql).digest("hex").slice(0, 16) };
};

/** What all sessions share. */
export class StandIn {
  readonly s3: StandInS3;
  readonly slices = 2;
  readonly conflicts = new Conflicts();
  readonly #postgresUrl: string;
  readonly #where: PostgresHost;
  readonly #prepared = new Map<string, Promise<void>>();
  readonly #sessions = new Map<string, Session>();
  readonly #sockets = new Set<Socket>();
  readonly #backends = new Set<Backend>();
  readonly #server = createServer((socket) => void this.#accept(socket));

  constructor({ postgresUrl, s3 }: RedshiftStandInOptions) {
    const { hostname, port } = new URL(postgresUrl);
    this.s3 = s3;
    this.#postgresUrl = postgresUrl;
    this.#where = { host: hostname, port: Number(port || 5432) };
  }

  async listen(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, resolve);
    });
    const address = this.#server.address();
    if (address === null || typeof address === "string") {
      throw new SluiceError("NO_PORT", "the stand-in for Redshift got no TCP port");
    }
    return address.port;
  }

  /** Ends every session, whatever it is doing. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => {
      this.#server.close(resolve);
    });
    for (const socket of this.#sockets) socket.destroy();
    const backends = [...this.#backends];
    // Postgres does not look for its client while a statement runs.
    if (backends.length > 0) {
      const pids = backends.map(({ pid }) => pid);
      await this.withDatabase("postgres", (client) =>
        client.query("SELECT pg_terminate_backend(pid) FROM unnest($1::integer[]) AS pid", [pids]),
      ).catch(() => {
        // It is gone, or going: so are they.
      });
    }
    for (const { channel } of backends) channel.destroy();
    await closed;
  }

  /** Work of the stand-in's own, which no transaction of a client can undo. */
  async withDatabase<T>(database: string, use: (client: Client) => Promise<T>): Promise<T> {
    const url = new URL(this.#postgresUrl);
    url.pathname = `/${encodeURIComponent(database)}`;
    const client = new Client({ connectionString: url.href });
    client.on("error", () => {});
    await client.connect();
    try {
      return await use(client);
    } finally {
      await client.end();
    }
  }

  async #accept(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    const client = new Channel(socket, { typed: false });
    void client.closed.then(() => this.#sockets.delete(socket));
    try {
      const opening = await shakeHands(client, this.#where, (database) => this.#prepare(database));
      if (opening.kind === "cancel") await this.#sessions.get(opening.key)?.cancel();
      if (opening.kind === "session") await this.#serve(client, opening.backend, opening.database);
    } catch (error) {
      // One side is gone; so is the session. Anything else is a mistake of ours, and said.
      if (!(error instanceof ClosedError)) {
        const says = `the stand-in for Redshift failed: ${messageOf(error)}`;
        await client.send(fatal(new SqlError("XX000", says))).catch(() => {});
      }
    } finally {
      client.end();
    }
  }

  async #serve(client: Channel, backend: Backend, database: string): Promise<void> {
    const key = backend.key.toString("hex");
    const session = new Session(this, client, backend, database);
    this.#sessions.set(key, session);
    this.#backends.add(backend);
    try {
      await session.serve();
    } finally {
      this.#sessions.delete(key);
      this.#backends.delete(backend);
    }
  }

  /** Redshift's types, functions and system tables, once for each database. */
  #prepare(database: string): Promise<void> {
    const known = this.#prepared.get(database);
    if (known !== undefined) return known;
    const work = this.withDatabase(database, async (client) => {
      await client.query("SELECT pg_advisory_lock(hashtext('sluice_standin'))");
      const { rows } = await client.query<{ version: string | null }>(
        "SELECT obj_description(oid) AS version FROM pg_namespace WHERE nspname = 'sluice_standin'",
      );
      const [there] = rows;
      const { sql, version } = systemObjects();
      if (there === undefined) {
        const versioned = `${sql}; COMMENT ON SCHEMA sluice_standin IS '${version}'`;
        await client.query(`BEGIN; ${versioned}; COMMIT`);
      } else if (there.version !== version) {
        throw new UsageError(
          "STAND_IN_OUTDATED",
          "another version of Sluice prepared it. Drop the database, or with --dev the folder .sluice, and load it again",
        );
      }
    });
    this.#prepared.set(database, work);
    // A database that could not be prepared is tried again by the next session.
    work.catch(() => this.#prepared.delete(database));
    return work;
  }
}
