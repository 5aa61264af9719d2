/** A taker's socket rests after small reads: what it may not lose by that, and not read. */
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { type Taker, WireSocket } from "../../../src/stores/postgres/wire-socket.ts";

/** Both ends of a connection, and what the taker of one end took. */
async function connected(afterRead: (socket: WireSocket) => void) {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const socket = new WireSocket();
  const accepted: Promise<Socket[]> = once(server, "connection").then(([peer]) => [peer]);
  socket.connect(address.port, "127.0.0.1");
  const [peer] = await accepted;
  if (peer === undefined) throw new Error("no connection");
  onTestFinished(() => {
    socket.destroy();
    peer.destroy();
    server.close();
  });
  const buffer = Buffer.alloc(64 * 1024);
  const taken = { bytes: 0 };
  const taker: Taker = {
    room: () => buffer,
    wrote(bytes) {
      taken.bytes += bytes;
      afterRead(socket);
      return undefined;
    },
  };
  socket.lend(taker);
  socket.resume();
  return { socket, peer, taken };
}

test("one that rests goes on by itself, and takes all that gathered meanwhile", async () => {
  const { peer, taken } = await connected(() => {});
  for (let sent = 0; sent < 20; sent++) {
    peer.write(Buffer.alloc(1000));
    await pause(1);
  }
  await expect.poll(() => taken.bytes).toBe(20_000);
});

test("one that its taker paused stays paused after the rest", async () => {
  const { socket, peer, taken } = await connected((each) => each.pause());
  peer.write(Buffer.alloc(1000));
  await expect.poll(() => taken.bytes).toBe(1000);
  peer.write(Buffer.alloc(500));
  await pause(50);
  expect(taken.bytes).toBe(1000);
  socket.resume();
  await expect.poll(() => taken.bytes).toBe(1500);
});
