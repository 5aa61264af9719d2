/** Binding and unbinding an HTTP server: errors that name the setting, and a close that ends. */
import type { Server } from "node:http";
import { messageOf, UsageError } from "../core/errors.ts";

export interface ListenAddress {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

export interface Listening {
  /** For example `http://127.0.0.1:9090`. */
  readonly address: string;
  /** Lets requests end for a second, then cuts them. */
  close(): Promise<void>;
}

/** `setting` is the prefix of the variables that name the address: `SLUICE_HEALTH`. */
export async function listen(
  server: Server,
  { host, port }: ListenAddress,
  setting: string,
): Promise<Listening> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        new UsageError(
          "ADDRESS_UNUSABLE",
          `Cannot listen on ${host}:${port} (${messageOf(cause)}): set ${setting}_HOST and ${setting}_PORT to a free address`,
          { cause },
        ),
      ),
    );
    server.listen(port, host, resolve);
  });
  const bound = server.address();
  const boundPort = bound !== null && typeof bound === "object" ? bound.port : port;
  let closing: Promise<void> | undefined;
  return {
    address: `http://${host.includes(":") ? `[${host}]` : host}:${boundPort}`,
    close: () => (closing ??= close(server)),
  };
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  const cut = setTimeout(() => server.closeAllConnections(), 1_000);
  await closed;
  clearTimeout(cut);
}
