/** Databases of an embedded Postgres. Creating one takes about 80 ms. */

import { Client, escapeIdentifier } from "pg";
import type { PostgresServer } from "./start-postgres.ts";

/** Creates the databases that are not there yet. */
export async function createDatabases(
  server: PostgresServer,
  names: readonly string[],
): Promise<void> {
  const client = new Client({ connectionString: server.urlOf("postgres") });
  await client.connect();
  try {
    for (const name of names) {
      const { rowCount } = await client.query("SELECT FROM pg_database WHERE datname = $1", [name]);
      if (rowCount === 0) await client.query(`CREATE DATABASE ${escapeIdentifier(name)}`);
    }
  } finally {
    await client.end();
  }
}
