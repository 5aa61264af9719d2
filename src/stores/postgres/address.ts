/**
 * Where a Postgres is. A URL is taken apart here and nowhere else, because a URL that does not parse
 * ends up, password and all, in the error of whoever parses it, and `pg.Pool({ connectionString })`
 * prints it in `inspect` and JSON.
 */
import type { ClientConfig } from "pg";
import { UsageError } from "../../core/errors.ts";
import { Secret } from "../../core/secret.ts";

/** How long a connection may take to open. */
const CONNECT_TIMEOUT = 10_000;

/** Load balancers drop idle flows after 350 s; `pg` sends no keep-alives unless told to. */
const KEEP_ALIVE_DELAY = 30_000;

/** Where a server is, and how to connect to it. */
export interface Endpoint {
  /** `postgres://user@host:port/database`, without a password. */
  readonly text: string;
  /** Settings of one connection, labelled on the server. They hold the password: never print them. */
  connection(label: string): ClientConfig;
}

export class PostgresAddress implements Endpoint {
  readonly text: string;
  readonly #config: ClientConfig;
  readonly #password: Secret;

  private constructor(text: string, config: ClientConfig, password: Secret) {
    this.text = text;
    this.#config = config;
    this.#password = password;
  }

  /** `what` names the setting in the message of the `UsageError`. */
  static parse(url: string | Secret, what: string): PostgresAddress {
    const parsed = parseUrl(url instanceof Secret ? url.reveal() : url, what);
    const host = parsed.searchParams.get("host") ?? decode(parsed.hostname);
    const port = Number(parsed.port || 5432);
    const user = decode(parsed.username);
    const database = decode(parsed.pathname.slice(1));
    if (host === "" || user === "" || database === "") throw malformed(what);
    const ssl = sslOf(parsed.searchParams.get("sslmode") ?? "disable", what);
    const config = { host, port, user, database, ssl };
    const shownHost = host.startsWith("/") ? encodeURIComponent(host) : host;
    const text = `postgres://${encodeURIComponent(user)}@${shownHost}:${port}/${encodeURIComponent(database)}`;
    return new PostgresAddress(text, config, new Secret(decode(parsed.password)));
  }

  connection(label: string): ClientConfig {
    return {
      ...this.#config,
      ...connectionDefaults(label),
      password: this.#password.reveal(),
    };
  }
}

/** What every connection of ours is like. */
export function connectionDefaults(label: string): ClientConfig {
  return {
    application_name: sessionLabel(label),
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY,
  };
}

/**
 * Postgres cuts `application_name` at 63 bytes and wants printable ASCII. The end of a task id is its
 * hash, so a long one loses its middle.
 */
export function sessionLabel(label: string): string {
  const ascii = label.replaceAll(/[^\x20-\x7e]/g, "?");
  return ascii.length <= 63 ? ascii : `${ascii.slice(0, 42)}~${ascii.slice(-20)}`;
}

function parseUrl(url: string, what: string): URL {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw malformed(what);
  }
  if (parsed.protocol !== "postgres:" && parsed.protocol !== "postgresql:") throw malformed(what);
  for (const name of parsed.searchParams.keys()) {
    if (name !== "sslmode" && name !== "host") {
      throw new UsageError(
        "POSTGRES_URL_INVALID",
        `${what}: unknown parameter ${JSON.stringify(name)} in the URL; known are sslmode and host`,
      );
    }
  }
  return parsed;
}

function malformed(what: string): UsageError {
  return new UsageError(
    "POSTGRES_URL_INVALID",
    `${what}: expected postgres://user@host:port/database, with :password after the user; the value is not shown because it may hold a password. Characters like @ : / # in a password must be percent-encoded`,
  );
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** As in libpq: `require` encrypts without asking who answers; `verify-full` asks. */
export function sslOf(mode: string, what: string): ClientConfig["ssl"] {
  switch (mode) {
    case "disable":
      return false;
    case "require":
      return { rejectUnauthorized: false };
    case "verify-full":
      return true;
    default:
      throw new UsageError(
        "POSTGRES_URL_INVALID",
        `${what}: sslmode is disable, require or verify-full, not ${JSON.stringify(mode)}`,
      );
  }
}
