/**
 * A COPY whose connection silently died waits for ever: no packet arrives, so nothing fails (measured).
 * But a COPY may also rightly send nothing for an hour while the server sorts. So when no byte has moved
 * for a while, the server is asked: only a backend that is gone, or that itself waits for us while
 * we wait for it, is a stall.
 */
import type { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { SluiceError } from "../../core/errors.ts";

const STALL_AFTER = 120_000;

/** Destroys `copy` when its connection stalled. `waitsFor` asks the server, on another connection. */
export function watchForStall(
  copy: Readable | Writable,
  socket: Socket,
  waitsFor: () => Promise<string | undefined>,
  stallAfter = STALL_AFTER,
): void {
  let moved = socket.bytesRead + socket.bytesWritten;
  const timer = setInterval(() => void look(), stallAfter);
  timer.unref();
  copy.once("close", () => clearInterval(timer));

  async function look(): Promise<void> {
    const now = socket.bytesRead + socket.bytesWritten;
    const waiting =
      "read" in copy ? !socket.isPaused() : socket.writableNeedDrain || copy.writableEnded;
    if (now !== moved || !waiting) {
      moved = now;
      return;
    }
    const reason = await waitsFor().catch(() => "unreachable");
    const stillStalled = socket.bytesRead + socket.bytesWritten === moved;
    if (stillStalled && (reason === "Client" || reason === "gone" || reason === "unreachable")) {
      copy.destroy(
        new SluiceError(
          "COPY_STALLED",
          `no byte moved for ${Math.round(stallAfter / 1000)} s, and the server's side is ${
            reason === "Client" ? "waiting for us" : reason
          }: the connection is dead`,
        ),
      );
    }
  }
}
