/** What a client sent to servers, read off the proxies in between. */
import type { TcpProxy } from "./tcp-proxy.ts";

/**
 * The simple-protocol statements that sessions labelled `label` sent during `work`, in order. The label is
 * the `application_name`, cut as servers cut it.
 */
export async function sentStatements(
  proxies: readonly TcpProxy[],
  label: string,
  work: () => Promise<unknown>,
): Promise<readonly string[]> {
  const byLink = new Map<unknown, Buffer[]>();
  const note = (bytes: Buffer, link: unknown) =>
    byLink.set(link, [...(byLink.get(link) ?? []), Buffer.from(bytes)]);
  for (const proxy of proxies) proxy.rules = { onClient: note };
  try {
    await work();
  } finally {
    for (const proxy of proxies) proxy.rules = {};
  }
  return [...byLink.values()]
    .map((chunks) => Buffer.concat(chunks))
    .filter((session) => session.includes(`application_name\0${label}\0`))
    .flatMap(simpleQueries);
}

function simpleQueries(session: Buffer): string[] {
  const queries: string[] = [];
  // The start-up message has no type.
  let at = session.readUInt32BE(0);
  while (at < session.length) {
    const length = session.readUInt32BE(at + 1);
    if (session[at] === 0x51) queries.push(session.toString("utf8", at + 5, at + length));
    at += 1 + length;
  }
  return queries;
}
