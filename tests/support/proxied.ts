/** TCP proxies of a test file, closed after it. */
import { afterEveryFile } from "./closing.ts";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

const proxies: TcpProxy[] = [];

afterEveryFile("proxies", () => {
  for (const proxy of proxies.splice(0)) proxy.close();
});

/** A proxy before the server of a URL, and the URL that goes through it. */
export async function proxied(url: string): Promise<{ proxy: TcpProxy; url: string }> {
  const through = new URL(url);
  const proxy = await startTcpProxy(through.hostname, Number(through.port));
  proxies.push(proxy);
  through.host = `127.0.0.1:${proxy.port}`;
  return { proxy, url: through.href.replace(/\/$/, "") };
}
