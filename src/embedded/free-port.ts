/**
 * A port for a private server. Between finding a port and listening on it somebody else may take it,
 * so `onFreePort` tries another one when the server says that its port was taken.
 */

import { createServer } from "node:net";

/** A server could not listen because the port was taken meanwhile. */
export class PortTakenError extends Error {}

/** A TCP port of the loopback interface that nobody listens on now. */
async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === "string") {
          reject(new Error("the operating system gave no TCP port"));
        } else {
          resolve(address.port);
        }
      });
    });
  });
}

/** Starts a server on a free port; on another one when `start` throws `PortTakenError`. */
export async function onFreePort<Server>(
  start: (port: number) => Promise<Server>,
): Promise<Server> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(await freePort());
    } catch (error) {
      if (!(error instanceof PortTakenError) || attempt === 5) throw error;
    }
  }
}
