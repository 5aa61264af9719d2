/**
 * A development S3 server: one process, one folder, one pair of keys, on node:http and the file
 * system. It does what Sluice and its users' tests need of S3, exactly, and answers 501 to the
 * rest. It is no production store: no replication, no fsync, no access policies.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { messageOf, UnreachableError } from "../../core/errors.ts";
import { answer, type Service } from "./exchange.ts";
import { Store } from "./store.ts";

export interface S3ServerOptions {
  /** Folder of the data; created if absent. One server at a time. */
  readonly dir: string;
  /** 0, the default, takes a free one. */
  readonly port?: number;
  readonly host?: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region?: string;
  /** Told of every failure that is the server's own, answered 500. */
  readonly onFailure?: (failure: unknown) => void;
}

export interface S3Server {
  readonly endpoint: string;
  readonly port: number;
  /** Cuts open connections, waits for what is being written, closes the data. */
  close(): Promise<void>;
}

/**
 * Starts a server.
 *
 * @throws UnreachableError if it cannot listen; UsageError if the folder is in use;
 * PermanentError if its data are damaged.
 */
export async function startS3Server(options: S3ServerOptions): Promise<S3Server> {
  const { dir, port = 0, host = "127.0.0.1", onFailure = () => undefined } = options;
  const { accessKeyId, secretAccessKey, region = "us-east-1" } = options;
  const store = await Store.open(dir);
  const credentials = { accessKeyId, secretAccessKey, region };
  const { server, settled } = serve({ store, credentials, onFailure });
  try {
    const listening = await listen(server, port, host);
    let closing: Promise<void> | undefined;
    const close = async (): Promise<void> => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      await settled();
      store.close();
    };
    return {
      endpoint: `http://${host.includes(":") ? `[${host}]` : host}:${listening}`,
      port: listening,
      close: () => (closing ??= close()),
    };
  } catch (cause) {
    store.close();
    throw new UnreachableError(
      "S3_SERVER_NOT_LISTENING",
      `The development S3 server cannot listen on ${host}:${port}: ${messageOf(cause)}`,
      { cause },
    );
  }
}

function serve(service: Service): { server: Server; settled: () => Promise<void> } {
  const open = new Set<Promise<void>>();
  const accept = (waits: boolean) => (incoming: IncomingMessage, response: ServerResponse) => {
    const done = answer({ incoming, response, waits }, service).finally(() => open.delete(done));
    open.add(done);
  };
  // A dump may take hours to arrive, so no request is too slow.
  const server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 0 }, accept(false));
  server.on("checkContinue", accept(true));
  return {
    server,
    settled: async () => {
      await Promise.all(open);
    },
  };
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}
