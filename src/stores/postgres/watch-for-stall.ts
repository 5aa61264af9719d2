/**
 * A connection that silently died never fails by itself: no packet arrives, so a statement waits for ever
 * (measured). But one may also rightly say nothing for hours, while the server sorts. So when no byte
 * has moved for a while, the server is asked on another connection: only a session that is gone, or
 * that itself waits for us while we wait for it, is a stall. How it is asked is the server's own.
 */
import type { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { SluiceError } from "../../core/errors.ts";
import type { Endpoint } from "./address.ts";

const STALL_AFTER = 120_000;

/** How the server's side of a dead connection is. */
export type Stall = "waiting for us" | "gone" | "unreachable";

/** A session of ours, as the server knows it. */
export interface Silent {
  readonly address: Endpoint;
  readonly pid: number;
  /** Milliseconds since the statement was sent. */
  readonly waited: () => number;
}

/** Asks the server. Undefined when the session is at work, and when a server that lives will not say. */
export type FindStall = (session: Silent) => Promise<Stall | undefined>;

/** A connection, and how to ask the server about its session. */
export interface Watched extends Omit<Silent, "waited"> {
  readonly socket: Socket;
  readonly findStall: FindStall;
  /** Milliseconds without a byte after which the server is asked. */
  readonly stallAfter: number | undefined;
}

/** Destroys `copy` when its connection stalled. */
export function watchForStall(copy: Readable | Writable, watched: Watched): void {
  const { socket } = watched;
  // What we do not read, or have not written, is nobody's stall.
  const weWait = () =>
    "read" in copy ? !socket.isPaused() : socket.writableNeedDrain || copy.writableEnded;
  const stop = onStall(watched, weWait, "COPY_STALLED", (error) => copy.destroy(error));
  copy.once("close", stop);
}

/** Gives what the statement gives, or throws when its connection stalled meanwhile. */
export async function unlessStalled<T>(statement: Promise<T>, watched: Watched): Promise<T> {
  let stop = (): void => {};
  const stalled = new Promise<never>((_, reject) => {
    stop = onStall(watched, () => true, "STATEMENT_STALLED", reject);
  });
  try {
    return await Promise.race([statement, stalled]);
  } finally {
    stop();
  }
}

/** Tells of a stall at most once; the function that it gives ends the watch. */
function onStall(
  { socket, findStall, address, pid, stallAfter = STALL_AFTER }: Watched,
  weWait: () => boolean,
  code: string,
  tell: (error: SluiceError) => void,
): () => void {
  const bytes = () => socket.bytesRead + socket.bytesWritten;
  let moved = bytes();
  const sent = performance.now();
  const timer = setInterval(() => void look(), stallAfter);
  timer.unref();
  return () => clearInterval(timer);

  async function look(): Promise<void> {
    if (bytes() !== moved || !weWait()) {
      moved = bytes();
      return;
    }
    const stall = await findStall({ address, pid, waited: () => performance.now() - sent });
    if (bytes() !== moved || stall === undefined) return;
    clearInterval(timer);
    const seconds = Math.round(stallAfter / 1000);
    tell(
      new SluiceError(
        code,
        `no byte moved for ${seconds} s, and the server's side is ${stall}: the connection is dead`,
      ),
    );
  }
}
