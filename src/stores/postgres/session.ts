/**
 * One connection for one job: a dump, or a warehouse transaction. It is never shared and never reused.
 * After success it is closed; after anything else it is abandoned: the backend is ended on the server
 * (a statement outlives its client: measured, 5.6 s, and it committed) and the socket destroyed, so
 * no half-finished protocol can reach another task.
 */
import { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { Readable, Writable } from "node:stream";
import { Client, type QueryResult } from "pg";
import { from as copyFrom } from "pg-copy-streams";
import { aside, findBackendStall } from "./aside.ts";
import { type BackendKey, sendCancelRequest } from "./cancel-request.ts";
import { CopyOutReader } from "./copy-out.ts";
import { type FindStall, unlessStalled, type Watched, watchForStall } from "./watch-for-stall.ts";
import type { Endpoint } from "./address.ts";
import { WireSocket } from "./wire-socket.ts";
import { endSession } from "../../sql/open-sessions.ts";

/** How long a server may take to say goodbye. */
const CLOSE_TIMEOUT = 5_000;

/** How long a cancelled statement may take to end before its whole session is ended. */
const CANCEL_TIMEOUT = 10_000;

export interface SessionOptions {
  /** Shown by the server in `pg_stat_activity`. */
  readonly label: string;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds without a byte after which a statement is looked into. */
  readonly stallAfter?: number | undefined;
  /** Cancel a statement first, and end the session only if that does not help: a login costs seconds. */
  readonly cancelFirst?: boolean | undefined;
  /** Default: as Postgres is asked. */
  readonly findStall?: FindStall | undefined;
}

export class Session {
  readonly #address: Endpoint;
  readonly #client: Client;
  readonly #options: SessionOptions;
  #pid = 0;
  #key: BackendKey | undefined;
  /** Settles with the statement that was sent last; never rejects. */
  #running: Promise<unknown> = Promise.resolve();
  /** Nobody will ever hear how the statement ended. */
  #stalled = false;
  #abandoned: Promise<void> | undefined;
  readonly #abort = (): void => void this.abandon();

  private constructor(address: Endpoint, client: Client, options: SessionOptions) {
    this.#address = address;
    this.#client = client;
    this.#options = options;
  }

  /** Aborting the signal abandons the session, whatever it is doing. */
  static async open(address: Endpoint, options: SessionOptions): Promise<Session> {
    const { signal } = options;
    signal?.throwIfAborted();
    const config = address.connection(options.label);
    const client = new Client({ ...config, stream: () => new WireSocket() });
    const session = new Session(address, client, options);
    // A socket that breaks between queries emits this, and nobody else listens: the next query
    // rejects with the same error. Unheard, it would end the process.
    client.on("error", () => {});
    client.connection.once("backendKeyData", (key: BackendKey) => {
      session.#key = key;
    });
    try {
      await client.connect();
      // What a connection pooler calls our backend is not the server's name for it.
      session.#pid = session.#key?.processID ?? 0;
      const { rows } = await session.read<{ pid: number }>("SELECT pg_backend_pid() AS pid");
      session.#pid = rows[0]?.pid ?? 0;
    } catch (error) {
      destroySocket(client);
      throw error;
    }
    signal?.addEventListener("abort", session.#abort, { once: true });
    if (signal?.aborted === true) session.#abort();
    return session;
  }

  /** Runs statements by the simple protocol; one result for each. */
  async run(sql: string): Promise<readonly QueryResult[]> {
    const answered: Promise<QueryResult | QueryResult[]> = this.#client.query(sql);
    this.#running = answered.catch(() => {});
    const result = await this.#unlessStalled(answered);
    return Array.isArray(result) ? result : [result];
  }

  /** Reads rows by the extended protocol, for looks at the catalog. */
  async read<R extends Record<string, unknown>>(sql: string, values: readonly unknown[] = []) {
    return await this.#unlessStalled(this.#client.query<R>(sql, [...values]));
  }

  /** Which session it is on the server. */
  get pid(): number {
    return this.#pid;
  }

  /** Whether a transaction is open and well. */
  inTransaction(): boolean {
    return this.#client.getTransactionStatus() === "T";
  }

  /** A stream of blocks from `COPY … TO STDOUT`. */
  copyOut(sql: string): Readable {
    return this.#watched(this.#client.query(new CopyOutReader(sql)));
  }

  /** A stream into `COPY … FROM STDIN`; `rowCount` is set when it finished. */
  copyIn(sql: string): Writable & { readonly rowCount: number } {
    return this.#watched(this.#client.query(copyFrom(sql)));
  }

  async close(): Promise<void> {
    this.#options.signal?.removeEventListener("abort", this.#abort);
    // It waits for the server to hang up, and one that is cut off never does.
    await Promise.race([this.#client.end(), pause(CLOSE_TIMEOUT, undefined, { ref: false })]);
    destroySocket(this.#client);
  }

  /** Ends the backend on the server and destroys the socket. Never throws; safe to call twice. */
  abandon(): Promise<void> {
    this.#options.signal?.removeEventListener("abort", this.#abort);
    this.#abandoned ??= this.#endBackend().finally(() => destroySocket(this.#client));
    return this.#abandoned;
  }

  async #endBackend(): Promise<void> {
    const { cancelFirst = false } = this.#options;
    if (cancelFirst && !this.#stalled && (await this.#cancel())) return;
    await aside(this.#address, (client) => client.query(endSession(this.#pid))).catch(() => {
      // The server is gone, or refuses: closing the socket is all that is left to do.
    });
  }

  /** Whether the statement ended in time. A connection that broke cannot say. */
  async #cancel(): Promise<boolean> {
    if (this.#key === undefined || this.#client.connection.stream.destroyed) return false;
    try {
      await sendCancelRequest(this.#address.connection("sluice cancel"), this.#key);
    } catch {
      return false;
    }
    const ended = this.#running.then(() => !this.#client.connection.stream.destroyed);
    return await Promise.race([ended, pause(CANCEL_TIMEOUT, false, { ref: false })]);
  }

  #watched<S extends Readable | Writable>(copy: S): S {
    const watched = this.#connection();
    if (watched !== undefined) watchForStall(copy, watched);
    return copy;
  }

  async #unlessStalled<T>(statement: Promise<T>): Promise<T> {
    const watched = this.#connection();
    return watched === undefined ? await statement : await unlessStalled(statement, watched);
  }

  /** Undefined until the server told its pid, within the time that a connection may take to open. */
  #connection(): Watched | undefined {
    const socket = this.#client.connection.stream;
    if (!(socket instanceof Socket) || this.#pid === 0) return undefined;
    const { stallAfter, findStall = findBackendStall } = this.#options;
    return {
      socket,
      address: this.#address,
      pid: this.#pid,
      stallAfter,
      findStall: async (silent) => {
        const stall = await findStall(silent);
        this.#stalled ||= stall !== undefined;
        return stall;
      },
    };
  }
}

/** Like a crash of ours, seen from the server. `client.end()` would wait for what is under way. */
function destroySocket(client: Client): void {
  client.connection.stream.destroy();
}
