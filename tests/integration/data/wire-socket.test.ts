/** A taker's socket rests after small reads by TCP: what it may not lose by that, and not read. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type ListenOptions, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { type Taker, WireSocket } from "../../../src/stores/postgres/wire-socket.ts";

function localSocket(): string {
  const dir = mkdtempSync(path.join(tmpdir(), "sluice-wire-"));
  afterAll(() => rmSync(dir, { recursive: true }));
  return path.join(dir, "socket");
}

/** Both ends of a connection, and what the taker of one end took. */
async function connected(
  afterRead: (socket: WireSocket) => void,
  where: ListenOptions = { port: 0, host: "127.0.0.1" },
) {
  const server = createServer().listen(where);
  await once(server, "listening");
  const address = server.address();
  if (address === null) throw new Error("no address");
  const socket = new WireSocket();
  const accepted: Promise<Socket[]> = once(server, "connection").then(([peer]) => [peer]);
  if (typeof address === "string") socket.connect(address);
  else socket.connect(address.port, address.address);
  const [[peer]] = await Promise.all([accepted, once(socket, "connect")]);
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

test.each([
  ["by TCP it rests, and goes on by itself", { port: 0, host: "127.0.0.1" }],
  ["by a local socket it need not", { path: localSocket() }],
])("all that arrives bit by bit is taken: %s", async (_how, where) => {
  const { peer, taken } = await connected(() => {}, where);
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
