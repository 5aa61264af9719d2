/**
 * The socket of a session. To `pg` it is like any other, until somebody takes its bytes: then the kernel
 * writes them where the taker wants them, and `pg` sees none until the taker is done. What this saves is
 * a new `Buffer` and the machinery of streams for each read, of which a gigabyte of rows has 20,000. TLS
 * has no such door: its bytes are copied once more.
 *
 * Postgres sends 8 KB at a time. Who reads each as it comes is woken 120,000 times a gigabyte, and waking
 * is work for the server, too. So a taker's socket rests after it was emptied, and reads what gathered
 * meanwhile: a sixth less CPU here, a twentieth there (measured: a zstd dump of 400 MB). Only by TCP, which
 * holds megabytes meanwhile: a local socket holds 200 KB, and one that is full keeps the server waiting.
 */
import { Socket } from "node:net";
import type { Duplex } from "node:stream";

declare module "net" {
  interface SocketConstructorOpts {
    /** Node takes it here as in `connect`; its types do not say so. */
    readonly onread?: OnReadOpts | undefined;
  }
}

/** Who takes a connection's bytes. */
export interface Taker {
  /** Where the next ones go; never empty. */
  room(): Buffer;
  /** So many were written there. Gives those that are not the taker's, when it is done. */
  wrote(bytes: number): Buffer | undefined;
}

/** What libuv reads at once, too. */
const READ_BYTES = 64 * 1024;

/** A read of less has emptied the socket. */
const SMALL_READ = 32 * 1024;
const REST_MS = 1;

export class WireSocket extends Socket {
  readonly #own = Buffer.allocUnsafeSlow(READ_BYTES);
  #taker: Taker | undefined;
  /** Whether the kernel writes into the taker's room, and no more into ours. */
  #isTheirs = false;
  #mayRest = false;

  constructor() {
    super({
      onread: {
        buffer: () => {
          this.#isTheirs = this.#taker !== undefined;
          return this.#taker?.room() ?? this.#own;
        },
        callback: (bytes) => this.#arrived(bytes),
      },
    });
  }

  /** Of a connected socket: before, it does not say where it goes, and would never rest. */
  lend(taker: Taker): void {
    this.#taker = taker;
    this.#mayRest = this.remoteAddress !== undefined;
  }

  /** False pauses the socket. */
  #arrived(bytes: number): boolean {
    const taker = this.#taker;
    if (taker === undefined) return this.push(Buffer.from(this.#own.subarray(0, bytes)));
    const rest = this.#isTheirs ? taker.wrote(bytes) : feed(taker, this.#own.subarray(0, bytes));
    if (rest === undefined) return !this.#restAfter(bytes);
    this.#taker = undefined;
    return this.push(rest);
  }

  /** Gives whether the socket rests now, after a read of so many bytes. It goes on by itself. */
  #restAfter(bytes: number): boolean {
    if (!this.#mayRest || bytes >= SMALL_READ) return false;
    setTimeout(() => {
      if (!this.isPaused() && !this.destroyed) this.resume();
    }, REST_MS);
    return true;
  }
}

/** Hands the taker all that arrives from now on, until it gives back what is not its own. */
export function takeBytes(stream: Duplex, taker: Taker): void {
  if (stream instanceof WireSocket) {
    stream.lend(taker);
    return;
  }
  const readers = stream.listeners("data");
  let isTaking = true;
  stream.removeAllListeners("data");
  stream.on("data", (chunk: Buffer) => {
    const rest = isTaking ? feed(taker, chunk) : chunk;
    if (rest === undefined) return;
    isTaking = false;
    for (const reader of readers) Reflect.apply(reader, stream, [rest]);
  });
}

/** For bytes that are elsewhere already. */
function feed(taker: Taker, bytes: Buffer): Buffer | undefined {
  for (let at = 0; at < bytes.length; ) {
    const copied = bytes.copy(taker.room(), 0, at);
    at += copied;
    const rest = taker.wrote(copied);
    if (rest !== undefined) return Buffer.concat([rest, bytes.subarray(at)]);
  }
  return undefined;
}
