/**
 * A TCP proxy that can be told to cut, to freeze or to watch the connections that go through it. It knows
 * nothing of what is spoken, and nothing of vitest: `proxied.ts` closes it after a test file.
 */
import { connect, createServer, type Socket } from "node:net";

export interface Link {
  /** Destroys both sides, as a broken network does. */
  readonly cut: () => void;
  /** Answers the client in the name of the server, and ends the connection. */
  readonly answer: (text: string) => void;
}

export interface ProxyRules {
  /** Sees what the client sends before it is passed on; false drops it. */
  onClient?: ((bytes: Buffer, link: Link) => unknown) | undefined;
  /** Sees what the server answers before it is passed on; false drops it. */
  onServer?: ((bytes: Buffer, link: Link) => boolean) | undefined;
}

export interface TcpProxy {
  readonly port: number;
  /** Where new connections go. */
  upstream: { readonly host: string; readonly port: number };
  rules: ProxyRules;
  /** Stops the answers of the connections that are open now; they stay open. */
  freeze(): void;
  /** Passes nothing on in either direction, also for new connections, until `thaw`. */
  blackHole(): void;
  thaw(): void;
  cutAll(): void;
  close(): void;
}

export async function startTcpProxy(host: string, port: number): Promise<TcpProxy> {
  const links = new Set<Pair>();
  let swallowing = false;
  const server = createServer((client) => {
    const pair = new Pair(client, proxy);
    links.add(pair);
    client.on("close", () => links.delete(pair));
    if (swallowing) pair.pause();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const proxy: TcpProxy = {
    port: typeof address === "object" && address !== null ? address.port : 0,
    upstream: { host, port },
    rules: {},
    freeze: () => links.forEach((link) => link.freeze()),
    blackHole() {
      swallowing = true;
      for (const link of links) link.pause();
    },
    thaw() {
      swallowing = false;
      for (const link of links) link.resume();
    },
    cutAll: () => links.forEach((link) => link.cut()),
    close() {
      server.close();
      for (const link of links) link.cut();
    },
  };
  return proxy;
}

/** One connection of a client, and ours to the server for it. */
class Pair implements Link {
  readonly #client: Socket;
  readonly #upstream: Socket;
  /** While it is, no backpressure that ends may set the bytes going again. */
  #paused = false;
  #frozen = false;
  #answered = false;

  constructor(client: Socket, proxy: TcpProxy) {
    const upstream = connect(proxy.upstream);
    this.#client = client;
    this.#upstream = upstream;
    client.on("data", (bytes) => {
      if (this.#answered || proxy.rules.onClient?.(bytes, this) === false) return;
      if (upstream.write(bytes)) return;
      client.pause();
      upstream.once("drain", () => this.#flow());
    });
    upstream.on("data", (bytes) => {
      if (proxy.rules.onServer?.(bytes, this) === false) return;
      if (client.write(bytes)) return;
      upstream.pause();
      client.once("drain", () => this.#flow());
    });
    for (const socket of [client, upstream]) {
      socket.on("error", () => this.cut());
      socket.on("close", () => this.#answered || this.cut());
    }
  }

  // Properties, not methods: tests take them off a link.
  readonly cut = (): void => {
    this.#client.destroy();
    this.#upstream.destroy();
  };

  readonly answer = (text: string): void => {
    this.#answered = true;
    this.#upstream.destroy();
    this.#client.end(text, () => this.#client.destroy());
  };

  freeze(): void {
    this.#frozen = true;
    this.#upstream.pause();
  }

  pause(): void {
    this.#paused = true;
    this.#client.pause();
    this.#upstream.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#flow();
  }

  #flow(): void {
    if (this.#paused) return;
    this.#client.resume();
    if (!this.#frozen) this.#upstream.resume();
  }
}
