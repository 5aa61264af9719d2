/**
 * A connection that silently died never fails by itself: no packet arrives, so a statement waits for ever
 * (measured). But one may also rightly say nothing for hours, while the server sorts. So when no byte
 * has moved for a while, the server is asked on another connection: only a backend that is gone, or
 * that itself waits for us while we wait for it, is a stall.
 */
import type { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { SluiceError } from "../../core/errors.ts";

const STALL_AFTER = 120_000;

/** A connection, and how to ask the server what its backend waits for. */
export interface Watched {
  readonly socket: Socket;
  readonly waitsFor: () => Promise<string | undefined>;
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
  { socket, waitsFor, stallAfter = STALL_AFTER }: Watched,
  weWait: () => boolean,
  code: string,
  tell: (error: SluiceError) => void,
): () => void {
  const bytes = () => socket.bytesRead + socket.bytesWritten;
  let moved = bytes();
  const timer = setInterval(() => void look(), stallAfter);
  timer.unref();
  return () => clearInterval(timer);

  async function look(): Promise<void> {
    if (bytes() !== moved || !weWait()) {
      moved = bytes();
      return;
    }
    const reason = await waitsFor();
    if (bytes() !== moved || !isDead(reason)) return;
    clearInterval(timer);
    const side = reason === "Client" ? "waiting for us" : reason;
    const seconds = Math.round(stallAfter / 1000);
    tell(
      new SluiceError(
        code,
        `no byte moved for ${seconds} s, and the server's side is ${side}: the connection is dead`,
      ),
    );
  }
}

function isDead(reason: string | undefined): boolean {
  return reason === "Client" || reason === "gone" || reason === "unreachable";
}
