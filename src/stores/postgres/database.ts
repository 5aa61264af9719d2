/**
 * A server that speaks Postgres's protocol, as both ports see it: short reads over a few shared connections, jobs over a
 * `Session` each, and errors in our words. A pooled connection whose query failed, for whatever
 * reason, is destroyed: a new one costs milliseconds.
 */
import { Socket } from "node:net";
import { Connection, Pool, type PoolClient, type QueryResult } from "pg";
import type { Secret } from "../../core/secret.ts";
import type { Abort } from "../../core/stores.ts";
import { type Endpoint, PostgresAddress } from "./address.ts";
import { findBackendStall } from "./aside.ts";
import { type ErrorContext, explainPostgresError } from "./errors.ts";
import { Session, type SessionOptions } from "./session.ts";
import { unlessStalled } from "./watch-for-stall.ts";

const MAX_POOLED = 4;
const IN_UTC = "SET TimeZone = 'UTC'";

/** Reads rows by the extended protocol. */
export type Read = <R extends Record<string, unknown>>(
  sql: string,
  values?: readonly unknown[],
) => Promise<QueryResult<R>>;

export interface DatabaseOptions {
  /** Milliseconds without a byte after which a statement is looked into. */
  readonly stallAfter?: number | undefined;
}

/** In what servers differ that speak the same protocol. */
type Ways = Pick<SessionOptions, "cancelFirst" | "findStall">;

export abstract class SqlDatabase {
  readonly address: string;
  readonly role: ErrorContext["role"];
  readonly #address: Endpoint;
  readonly #options: DatabaseOptions & Ways;
  #pool: Pool | undefined;

  constructor(address: Endpoint, role: ErrorContext["role"], options: DatabaseOptions & Ways) {
    this.#address = address;
    this.address = address.text;
    this.role = role;
    this.#options = options;
  }

  /** What a new session needs before anything else. */
  protected async prepare(_session: Session, _label: string): Promise<void> {}

  /** Gives the `SluiceError` for what a call threw; ours pass through. */
  protected abstract explain(thrown: unknown, context: ErrorContext): Promise<Error>;

  /** Reads over a shared connection, as `Read` for the catalog. Errors are Postgres's own. */
  readonly read: Read = async <R extends Record<string, unknown>>(
    sql: string,
    values: readonly unknown[] = [],
  ) => {
    const client = await this.#connections().connect();
    try {
      const result = await this.#unlessStalled(client, client.query<R>(sql, [...values]));
      client.release();
      return result;
    } catch (error) {
      client.release(true);
      throw error;
    }
  };

  /**
   * Reads rows, in UTC like dumps and loads: a day means the same hours everywhere. A read that may be
   * aborted has a connection of its own, which ends with it.
   */
  async query<R extends Record<string, unknown>>(
    sql: string,
    values: readonly unknown[] = [],
    { signal }: Abort = {},
  ): Promise<R[]> {
    return await this.explained({ doing: "query", signal }, async () => {
      if (signal === undefined) return (await this.read<R>(sql, values)).rows;
      return await this.inSession({ label: "sluice query", signal }, async (session) => {
        await session.run(IN_UTC);
        return (await session.read<R>(sql, values)).rows;
      });
    });
  }

  /** Opens a session for `work`, and closes it after success or abandons it after anything else. */
  async inSession<T>(
    options: Omit<SessionOptions, "stallAfter">,
    work: (session: Session) => Promise<T>,
  ): Promise<T> {
    const session = await Session.open(this.#address, { ...options, ...this.#options });
    try {
      await this.prepare(session, options.label);
      const result = await work(session);
      await session.close();
      return result;
    } catch (error) {
      await session.abandon();
      throw error;
    }
  }

  /** Runs `work`; what it throws comes out as a `SluiceError`, or as the reason of the abort. */
  async explained<T>(
    context: { readonly doing: string; readonly signal?: AbortSignal | undefined },
    work: () => Promise<T>,
  ): Promise<T> {
    try {
      return await work();
    } catch (error) {
      context.signal?.throwIfAborted();
      throw await this.explain(error, {
        doing: context.doing,
        role: this.role,
        address: this.address,
        read: this.read,
      });
    }
  }

  async close(): Promise<void> {
    await this.#pool?.end();
    this.#pool = undefined;
  }

  async #unlessStalled<T>(client: PoolClient, statement: Promise<T>): Promise<T> {
    // The types of `pg` do not tell of them.
    const connection: unknown = Reflect.get(client, "connection");
    const socket = connection instanceof Connection ? connection.stream : undefined;
    const pid: unknown = Reflect.get(client, "processID");
    if (!(socket instanceof Socket) || typeof pid !== "number") return await statement;
    const { stallAfter, findStall = findBackendStall } = this.#options;
    const address = this.#address;
    return await unlessStalled(statement, { socket, address, pid, stallAfter, findStall });
  }

  #connections(): Pool {
    if (this.#pool === undefined) {
      this.#pool = new Pool({
        ...this.#address.connection("sluice"),
        max: MAX_POOLED,
        allowExitOnIdle: true,
      });
      // Unheard, the error of a connection that breaks would end the process.
      this.#pool.on("error", () => {});
      this.#pool.on("connect", (client) => {
        client.on("error", () => {});
        // Queued before whatever the connection is for; if it fails, so does that.
        client.query(IN_UTC).catch(() => {});
      });
    }
    return this.#pool;
  }
}

export class PostgresDatabase extends SqlDatabase {
  constructor(url: string | Secret, role: ErrorContext["role"], options: DatabaseOptions = {}) {
    super(PostgresAddress.parse(url, `${role.toUpperCase()}_URL`), role, options);
  }

  protected override async explain(thrown: unknown, context: ErrorContext): Promise<Error> {
    return await explainPostgresError(thrown, context);
  }
}
