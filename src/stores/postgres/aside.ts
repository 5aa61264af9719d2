/**
 * A look at the server over a connection of its own, within a time: about another session, whose own
 * connection cannot be asked.
 */
import { Client, DatabaseError } from "pg";
import type { Endpoint } from "./address.ts";

/** How long a server may take to answer before we stop asking. */
const TIMEOUT = 5_000;

export async function aside<T>(
  address: Endpoint,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client({
    ...address.connection("sluice aside"),
    connectionTimeoutMillis: TIMEOUT,
    query_timeout: TIMEOUT,
  });
  client.on("error", () => {});
  try {
    await client.connect();
    return await work(client);
  } finally {
    client.connection.stream.destroy();
  }
}

/**
 * What a backend waits for: `Client`, `Lock`, `IO`, … or `gone`, or `unreachable` when no connection can
 * be had; undefined when it works, or when a server that lives will not say.
 */
export async function waitEventOf(address: Endpoint, pid: number): Promise<string | undefined> {
  try {
    return await aside(address, async (client) => {
      const { rows } = await client.query<{ type: string | null }>(
        "SELECT wait_event_type AS type FROM pg_stat_activity WHERE pid = $1",
        [pid],
      );
      const [backend] = rows;
      return backend === undefined ? "gone" : (backend.type ?? undefined);
    });
  } catch (error) {
    return error instanceof DatabaseError ? undefined : "unreachable";
  }
}
