/**
 * One side of the proxy: whole messages in, bytes out, both with backpressure, so that nothing piles up
 * between a fast side and a slow one. Messages are taken one at a time, in order, by one reader; that
 * is what keeps a ReadyForQuery from overtaking the answer that S3 still holds up.
 */

import type { Socket } from "node:net";
import { type Message, MessageReader } from "./message.ts";

/** Messages that may wait before the socket is told to hold on. */
const AHEAD = 1_000;

/** The other side closed its connection. */
export class ClosedError extends Error {}

export class Channel {
  readonly #socket: Socket;
  readonly #reader: MessageReader;
  #waiting: Message[] = [];
  #taken = 0;
  #wake: (() => void) | undefined;
  #closed = false;
  /** Resolves when the connection is gone, whoever ended it. */
  readonly closed: Promise<void>;

  constructor(socket: Socket, options: { readonly typed: boolean }) {
    this.#socket = socket;
    this.#reader = new MessageReader(options.typed);
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#reader.feed(chunk);
      this.#drainReader();
    });
    // A broken connection is told by its end.
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => {
      const end = () => {
        this.#closed = true;
        this.#wake?.();
        resolve();
      };
      socket.once("end", end).once("close", end);
    });
  }

  becomeTyped(): void {
    this.#reader.becomeTyped();
    this.#drainReader();
  }

  /** Whether a message has arrived and was not taken. */
  get pending(): boolean {
    return this.#taken < this.#waiting.length;
  }

  /** The next message, taken. Throws `ClosedError` when there will be none. */
  async next(): Promise<Message> {
    for (;;) {
      const found = this.#waiting[this.#taken];
      if (found !== undefined) {
        this.#taken += 1;
        if (this.#taken === this.#waiting.length) {
          this.#waiting = [];
          this.#taken = 0;
          if (this.#socket.isPaused()) this.#socket.resume();
        }
        return found;
      }
      if (this.#closed) throw new ClosedError("connection closed");
      await this.arrival();
    }
  }

  /** Resolves when a message has arrived, or none ever will. */
  async arrival(): Promise<void> {
    if (this.pending || this.#closed) return;
    await new Promise<void>((resolve) => {
      const before = this.#wake;
      this.#wake = () => {
        this.#wake = undefined;
        before?.();
        resolve();
      };
    });
  }

  /** Sends bytes; resolves when there is room for more. */
  async send(...parts: readonly Buffer[]): Promise<void> {
    if (this.#closed) throw new ClosedError("connection closed");
    let room = true;
    this.#socket.cork();
    for (const part of parts) room = this.#socket.write(part);
    this.#socket.uncork();
    if (room) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#socket.off("drain", done).off("close", done);
        resolve();
      };
      this.#socket.once("drain", done).once("close", done);
    });
  }

  /** Sends what is left and closes. */
  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #drainReader(): void {
    // The first packet has no type: what follows it must not be cut before `becomeTyped`.
    for (;;) {
      const found = this.#reader.next();
      if (found === undefined) break;
      this.#waiting.push(found);
    }
    if (this.#waiting.length - this.#taken > AHEAD) this.#socket.pause();
    if (this.pending) this.#wake?.();
  }
}
