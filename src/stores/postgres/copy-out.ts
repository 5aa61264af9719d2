/**
 * Reads `COPY … TO STDOUT` as blocks of whole rows. Postgres sends one CopyData message per row, so
 * rows are counted and files are cut without parsing CSV. Rows are copied once, from the socket's
 * chunks into 256 KB blocks: measured 16 % faster into gzip than passing on the 8 KB that arrive.
 *
 * It is handed to `client.query` like any query. While data flows it takes the socket's bytes before
 * `pg` sees them; everything else, errors above all, is left to `pg`.
 */
import { Readable } from "node:stream";
import type { Connection, Submittable } from "pg";
import { SluiceError } from "../../core/errors.ts";
import type { Block } from "../../core/stores.ts";

const BLOCK_BYTES = 256 * 1024;
const BLOCKS_AHEAD = 4;
/** Blocks that came back, for all dumps of the process. */
const MAX_SPARE = 16;
const HEADER_BYTES = 5;

const COPY_DATA = 0x64;
/** Messages that may come between rows and mean nothing to us: CopyOutResponse, notices, settings. */
const IGNORED = new Set([0x48, 0x4e, 0x53, 0x41]);

/** Fresh memory for each block had the garbage collector mark the whole heap every 10 MB (measured). */
const spare: Buffer[] = [];

function newBlock(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
}

export class CopyOutReader extends Readable implements Submittable {
  readonly #sql: string;
  #stream: Connection["stream"] | undefined;
  #giveBack: (bytes: Buffer) => void = () => {};

  /** The message being read: its header, then how much of it is still to come. */
  readonly #header = Buffer.allocUnsafe(HEADER_BYTES);
  #headerBytes = 0;
  #missing = 0;
  #isRow = false;

  #block = newBlock();
  #used = 0;
  #blockRows = 0;
  #rows = 0;

  constructor(sql: string) {
    super({ objectMode: true, highWaterMark: BLOCKS_AHEAD });
    this.#sql = sql;
  }

  /** Called by `pg` when it is our turn. */
  submit(connection: Connection): void {
    const { stream } = connection;
    const readers = stream.listeners("data");
    stream.removeAllListeners("data");
    stream.on("data", this.#take);
    this.#stream = stream;
    this.#giveBack = (bytes) => {
      const parse = (data: Buffer) => {
        for (const reader of readers) Reflect.apply(reader, stream, [data]);
      };
      stream.off("data", this.#take).on("data", parse);
      this.#stream = undefined;
      parse(bytes);
      stream.resume();
    };
    connection.query(this.#sql);
  }

  /** Called by `pg` with the server's `COPY n`. */
  handleCommandComplete(message: { readonly text?: string }): void {
    const counted = Number(/^COPY (\d+)$/.exec(message.text ?? "")?.[1]);
    if (counted !== this.#rows) {
      this.destroy(
        new SluiceError(
          "COPY_INCOMPLETE",
          `the server says that it sent ${message.text ?? "nothing"}, ${this.#rows} rows arrived`,
        ),
      );
    }
  }

  /** Called by `pg` when the server is done. Only now is the stream known to be whole. */
  handleReadyForQuery(): void {
    if (!this.destroyed) this.push(null);
  }

  /** Called by `pg` when the server refuses or the connection breaks. */
  handleError(error: Error): void {
    this.destroy(error);
  }

  override _read(): void {
    this.#stream?.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // What still arrives is dropped, and the owner of the connection destroys it: `pg` would not know
    // what to do with rows of a query that is gone.
    this.#stream?.resume();
    done(error);
  }

  readonly #take = (chunk: Buffer): void => {
    let at = 0;
    while (at < chunk.length) {
      if (this.#missing === 0) {
        // Most headers are whole, and read where they are: a copy of each cost 1.2 s a gigabyte.
        if (this.#headerBytes === 0 && chunk.length - at >= HEADER_BYTES) {
          if (!this.#beginMessage(chunk, at)) return this.#end(chunk.subarray(at));
          at += HEADER_BYTES;
          continue;
        }
        const wanted = HEADER_BYTES - this.#headerBytes;
        const copied = chunk.copy(this.#header, this.#headerBytes, at, at + wanted);
        at += copied;
        this.#headerBytes += copied;
        if (copied < wanted) return;
        this.#headerBytes = 0;
        if (!this.#beginMessage(this.#header, 0)) {
          return this.#end(Buffer.concat([this.#header, chunk.subarray(at)]));
        }
      } else {
        const end = Math.min(chunk.length, at + this.#missing);
        if (this.#isRow) this.#used += chunk.copy(this.#block, this.#used, at, end);
        this.#missing -= end - at;
        at = end;
      }
    }
  };

  /** Whether the message, whose header begins at `at`, is ours to read. */
  #beginMessage(bytes: Buffer, at: number): boolean {
    const type = bytes[at] ?? 0;
    this.#isRow = type === COPY_DATA;
    if (!this.#isRow && !IGNORED.has(type)) return false;
    this.#missing = bytes.readUInt32BE(at + 1) - 4;
    if (this.#isRow) {
      if (this.#used + this.#missing > this.#block.length) this.#flush(this.#missing);
      this.#blockRows++;
      this.#rows++;
    }
    return true;
  }

  /** The rows are over: the last go on, and the rest of the connection is `pg`'s again. */
  #end(rest: Buffer): void {
    this.#flush();
    this.#giveBack(rest);
  }

  /** Passes the block on and begins another, with room for at least one row of `room` bytes. */
  #flush(room = 0): void {
    const full = this.#block;
    this.#block = room > BLOCK_BYTES ? Buffer.allocUnsafeSlow(room) : newBlock();
    if (this.#blockRows > 0 && !this.destroyed) {
      const release = (): void => {
        if (full.length === BLOCK_BYTES && spare.length < MAX_SPARE) spare.push(full);
      };
      const buffer = full.subarray(0, this.#used);
      const block: Block = { buffer, rows: this.#blockRows, release };
      if (!this.push(block)) this.#stream?.pause();
    }
    this.#used = 0;
    this.#blockRows = 0;
  }
}
