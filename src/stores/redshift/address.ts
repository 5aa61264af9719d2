/**
 * Where a Redshift is, who we are there, and who it is to S3: all of it in one URL, taken apart here
 * and nowhere else, because it may hold secrets.
 */
import type { ClientConfig } from "pg";
import { UsageError } from "../../core/errors.ts";
import { Secret } from "../../core/secret.ts";
import { type Authorization, parseIamRole } from "../../sql/redshift/authorization.ts";
import type { S3Access } from "../../sql/redshift/copy.ts";
import { connectionDefaults, type Endpoint, sslOf } from "../postgres/address.ts";
import { clusterPassword, workgroupPassword } from "./credentials.ts";

const PARAMETERS = [
  "sslmode",
  "iam_role",
  "access_key_id",
  "secret_access_key",
  "session_token",
  "region",
  "cluster",
  "workgroup",
  "statement_timeout",
];

type Password = Secret | (() => Promise<Secret>);

export class RedshiftAddress implements Endpoint {
  /** `redshift://user@host:5439/database`. */
  readonly text: string;
  readonly access: S3Access;
  /** Milliseconds, waiting in a queue included; undefined: the server's own. */
  readonly statementTimeout: number | undefined;
  readonly #config: ClientConfig;
  readonly #password: Password;

  private constructor(url: URL, what: string) {
    const user = userOf(url);
    const database = decodeURIComponent(url.pathname.slice(1));
    if (url.hostname === "" || user === "" || database === "") throw malformed(what);
    const { hostname: host, searchParams: given } = url;
    const port = Number(url.port || 5439);
    this.access = {
      authorization: authorizationOf(given, what),
      region: given.get("region") ?? undefined,
    };
    this.statementTimeout = timeoutOf(given, what);
    this.#password = passwordOf(url, user, database, what);
    const mode = given.get("sslmode") ?? (isLocal(host) ? "disable" : "require");
    this.#config = { host, port, user, database, ssl: sslOf(mode, what) };
    this.text = `redshift://${encodeURIComponent(user)}@${host}:${port}/${encodeURIComponent(database)}`;
  }

  /** `what` names the setting in the message of the `UsageError`. */
  static parse(url: string | Secret, what: string): RedshiftAddress {
    let parsed: URL;
    try {
      parsed = new URL(url instanceof Secret ? url.reveal() : url);
    } catch {
      throw malformed(what);
    }
    if (parsed.protocol !== "redshift:") throw malformed(what);
    const unknown = [...parsed.searchParams.keys()].find((name) => !PARAMETERS.includes(name));
    if (unknown !== undefined) {
      throw invalid(
        `${what}: unknown parameter ${JSON.stringify(unknown)} in the URL; known are ${PARAMETERS.join(", ")}`,
      );
    }
    return new RedshiftAddress(parsed, what);
  }

  /** A password that is fetched is fetched for each connection: it lives for an hour at most. */
  connection(label: string): ClientConfig {
    const password = this.#password;
    return {
      ...this.#config,
      ...connectionDefaults(label),
      password:
        password instanceof Secret ? password.reveal() : async () => (await password()).reveal(),
    };
  }
}

/** Whether the URL of a warehouse is one of Redshift. */
export function isRedshiftUrl(url: string | Secret): boolean {
  return (url instanceof Secret ? url.reveal() : url).startsWith("redshift:");
}

function authorizationOf(given: URLSearchParams, what: string): Authorization {
  const [key, secret, token] = ["access_key_id", "secret_access_key", "session_token"].map((name) =>
    given.get(name),
  );
  const role = given.get("iam_role");
  if (typeof key === "string" && typeof secret === "string" && role === null) {
    const sessionToken = typeof token === "string" ? new Secret(token) : undefined;
    return { accessKeyId: key, secretAccessKey: new Secret(secret), sessionToken };
  }
  if ([key, secret, token].some((part) => typeof part === "string")) {
    throw invalid(
      `${what}: give either iam_role, or access_key_id with secret_access_key (and session_token)`,
    );
  }
  return parseIamRole(role ?? "default");
}

/** Whoever AWS makes a password for is called so; with `AutoCreate`, which is not asked for, `IAMA:`. */
function userOf(url: URL): string {
  const user = decodeURIComponent(url.username);
  const temporary = url.searchParams.has("cluster") && user !== "";
  return temporary && !/^IAMA?:/.test(user) ? `IAM:${user}` : user;
}

/** Temporary credentials, when the URL says of what; else the password in it. */
function passwordOf(url: URL, user: string, database: string, what: string): Password {
  const [cluster, workgroup, region] = ["cluster", "workgroup", "region"].map(
    (name) => url.searchParams.get(name) ?? undefined,
  );
  if (cluster === undefined && workgroup === undefined) {
    return new Secret(decodeURIComponent(url.password));
  }
  if (url.password !== "" || (cluster !== undefined && workgroup !== undefined)) {
    throw invalid(`${what}: give one of a password, cluster and workgroup`);
  }
  if (cluster !== undefined) return () => clusterPassword({ cluster, user, database, region });
  return () => workgroupPassword({ workgroup: workgroup ?? "", user, database, region });
}

function timeoutOf(given: URLSearchParams, what: string): number | undefined {
  const text = given.get("statement_timeout");
  if (text === null) return undefined;
  if (!/^\d{1,9}$/.test(text))
    throw invalid(`${what}: statement_timeout is a number of milliseconds`);
  return Number(text);
}

/** A development stand-in has no certificate; everything else goes encrypted. */
function isLocal(host: string): boolean {
  return host === "localhost" || host === "[::1]" || host.startsWith("127.");
}

function malformed(what: string): UsageError {
  return invalid(
    `${what}: expected redshift://user@host:5439/database, with :password after the user or ?cluster=… or ?workgroup=…; the value is not shown because it may hold a password. Characters like @ : / # in a password must be percent-encoded`,
  );
}

function invalid(message: string): UsageError {
  return new UsageError("REDSHIFT_URL_INVALID", message);
}
