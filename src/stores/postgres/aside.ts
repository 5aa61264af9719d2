/**
 * A look at the server over a connection of its own, within a time: about another session, whose own
 * connection cannot be asked.
 */
import { Client, DatabaseError } from "pg";
import type { Endpoint } from "./address.ts";
import type { FindStall, Silent, Stall } from "./watch-for-stall.ts";

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

/** What `look` finds, of a server that answers. One that cannot be reached is a stall, too. */
export async function stallSeen(
  { address }: Silent,
  look: (client: Client) => Promise<Stall | undefined>,
): Promise<Stall | undefined> {
  try {
    return await aside(address, look);
  } catch (error) {
    return error instanceof DatabaseError ? undefined : "unreachable";
  }
}

/** Postgres says what each backend waits for: `Client`, `Lock`, `IO`. */
export const findBackendStall: FindStall = (session) =>
  stallSeen(session, async (client) => {
    const { rows } = await client.query<{ type: string | null }>(
      "SELECT wait_event_type AS type FROM pg_stat_activity WHERE pid = $1",
      [session.pid],
    );
    const [backend] = rows;
    if (backend === undefined) return "gone";
    return backend.type === "Client" ? "waiting for us" : undefined;
  });
