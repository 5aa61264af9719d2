/**
 * The Postgres session behind one client's session. Statements run on it one at a time, by the simple
 * protocol; its transaction is the client's transaction.
 */

import { connect } from "node:net";
import { Channel } from "./wire/channel.ts";
import {
  code,
  int32,
  type Message,
  query,
  readFields,
  readRow,
  readyForQuery,
  typeOf,
} from "./wire/message.ts";

export interface PostgresHost {
  readonly host: string;
  readonly port: number;
}

const CANCEL_REQUEST = 80_877_102;

/** Postgres's own refusal, as it came. */
export class BackendError extends Error {
  readonly fields: ReadonlyMap<string, string>;

  constructor(response: Message) {
    const fields = readFields(response);
    super(fields.get("M") ?? "Postgres reported an error");
    this.fields = fields;
  }
}

export class Backend {
  readonly channel: Channel;
  readonly #where: PostgresHost;
  /** Idle, in a transaction, or in a failed one. */
  status: "I" | "T" | "E" = "I";
  /** Process id and secret, as BackendKeyData has them. */
  key: Buffer = Buffer.alloc(0);

  constructor(where: PostgresHost) {
    this.#where = where;
    this.channel = new Channel(connect(where), { typed: true });
  }

  /** The process id, as `pg_backend_pid()` has it. */
  get pid(): number {
    return this.key.length === 0 ? 0 : this.key.readInt32BE(0);
  }

  /** Runs SQL and hands each message of the answer on, except the last: ReadyForQuery. */
  async run(sql: string, take: (message: Message) => Promise<void> | void): Promise<void> {
    await this.channel.send(query(sql));
    await this.untilReady(take);
  }

  /** Reads to the next ReadyForQuery. */
  async untilReady(take: (message: Message) => Promise<void> | void): Promise<void> {
    for (;;) {
      const message = await this.channel.next();
      if (typeOf(message) === code("Z")) {
        this.noteStatus(message);
        return;
      }
      await take(message);
    }
  }

  /** The rows of a query of the stand-in's own. Throws `BackendError`. */
  async rows(sql: string): Promise<readonly (readonly (string | null)[])[]> {
    const found: (readonly (string | null)[])[] = [];
    let failure: BackendError | undefined;
    const ended = this.run(sql, (message) => {
      if (typeOf(message) === code("D")) found.push(readRow(message));
      if (typeOf(message) === code("E")) failure = new BackendError(message);
    });
    // A session that Postgres ends says why before it closes.
    await ended.catch((closed: unknown) => {
      throw failure ?? closed;
    });
    if (failure !== undefined) throw failure;
    return found;
  }

  noteStatus(ready: Message): void {
    const status = String.fromCharCode(ready[5] ?? 0);
    if (status === "I" || status === "T" || status === "E") this.status = status;
  }

  get ready(): Message {
    return readyForQuery(this.status);
  }

  /** Asks the server to cancel what runs; resolves when the request was handled. */
  async cancel(): Promise<void> {
    const channel = new Channel(connect(this.#where), { typed: true });
    const length = this.key.length + 8;
    try {
      await channel.send(int32(length), int32(CANCEL_REQUEST), this.key);
      await channel.closed;
    } finally {
      channel.destroy();
    }
  }
}
