/** A TCP proxy that can be told to cut, freeze or watch the connections that go through it. */
import { connect, createServer, type Socket } from "node:net";
import { afterAll } from "vitest";

export interface Link {
  /** Destroys both sides, as a broken network does. */
  readonly cut: () => void;
}

export interface ProxyRules {
  /** Sees what the client sends before it is passed on. */
  onClient?: ((bytes: Buffer, link: Link) => void) | undefined;
  /** Sees what the server answers before it is passed on; false drops it. */
  onServer?: ((bytes: Buffer, link: Link) => boolean) | undefined;
}

export interface TcpProxy {
  readonly port: number;
  rules: ProxyRules;
  /** Stops the answers of the connections that are open now; they stay open. */
  freeze(): void;
  cutAll(): void;
}

const closers: (() => void)[] = [];

afterAll(() => {
  for (const close of closers.splice(0)) close();
});

/** Closed after the file. */
export async function startProxy(host: string, port: number): Promise<TcpProxy> {
  const links = new Set<Link & { freeze(): void }>();
  const server = createServer((client: Socket) => {
    const upstream = connect(port, host);
    const link = {
      cut: () => {
        client.destroy();
        upstream.destroy();
      },
      freeze: () => upstream.pause(),
    };
    links.add(link);
    client.on("data", (bytes) => {
      proxy.rules.onClient?.(bytes, link);
      if (!upstream.write(bytes)) {
        client.pause();
        upstream.once("drain", () => client.resume());
      }
    });
    upstream.on("data", (bytes) => {
      if (proxy.rules.onServer?.(bytes, link) === false) return;
      if (!client.write(bytes)) {
        upstream.pause();
        client.once("drain", () => upstream.resume());
      }
    });
    for (const socket of [client, upstream]) {
      socket.on("error", link.cut);
      socket.on("close", () => {
        links.delete(link);
        link.cut();
      });
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  closers.push(() => {
    server.close();
    for (const link of links) link.cut();
  });
  const address = server.address();
  const proxy: TcpProxy = {
    port: typeof address === "object" && address !== null ? address.port : 0,
    rules: {},
    freeze: () => links.forEach((link) => link.freeze()),
    cutAll: () => links.forEach((link) => link.cut()),
  };
  return proxy;
}

/** A proxy before the server of a URL, and the URL that goes through it. */
export async function proxied(url: string): Promise<{ proxy: TcpProxy; url: string }> {
  const through = new URL(url);
  const proxy = await startProxy(through.hostname, Number(through.port));
  through.host = `127.0.0.1:${proxy.port}`;
  return { proxy, url: through.href.replace(/\/$/, "") };
}
