/**
 * Postgres's errors in our words: what happened, where, and what to do. The only place that decides
 * whether one is worth a retry. Passwords cannot get in: Postgres never says them, and URLs are
 * taken apart in `address.ts`.
 */
import { DatabaseError } from "pg";
import { messageOf, PermanentError, SluiceError, UnreachableError } from "../../core/errors.ts";
import { unknownTable } from "./catalog.ts";
import type { Read } from "./database.ts";

export interface ErrorContext {
  readonly role: "source" | "warehouse";
  readonly address: string;
  /** What was being done, as a noun: `dump of orders`. */
  readonly doing: string;
  /** For the nearest name to a table that is unknown. */
  readonly read: Read;
}

/** By SQLSTATE or its first two characters; the longer one wins. What is not here is retryable. */
const KINDS: Readonly<Record<string, "permanent" | "unreachable">> = {
  "08": "unreachable",
  "28": "unreachable",
  "3D000": "unreachable",
  "53300": "unreachable",
  "57P03": "unreachable",
  // Bad data, constraints, things that are not there, no permission, SQL that is wrong.
  "0A": "permanent",
  "21": "permanent",
  "22": "permanent",
  "23": "permanent",
  "25006": "permanent",
  "2F": "permanent",
  "3F": "permanent",
  "42": "permanent",
  "44": "permanent",
  P0: "permanent",
  // A disk does not empty itself within the seconds of a retry.
  "53100": "permanent",
};

const REMEDIES: Readonly<Record<string, string>> = {
  "22": "Correct the row, or the type of the column.",
  "23": "Correct the rows, or the constraint.",
  "25006": "A dump only reads: the query must not write.",
  "28": "Check the user and the password in its URL.",
  "3D000": "Check the database in its URL.",
  "40001": "It will be tried again.",
  "40P01": "It will be tried again.",
  "42501": "Grant the role what it needs.",
  "53100": "The server's disk is full: make room, then retry.",
  "53300": "Raise max_connections, or run fewer tasks at once.",
  "55P03": "Another session holds a lock on the table; see pg_locks.",
  "57014": "The statement was cancelled on the server.",
  "57P01": "An administrator ended the session, or the server is restarting.",
  "57P03": "The server is starting or stopping.",
};

const CONNECTION_CODES = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EPIPE",
  "ETIMEDOUT",
]);

/** Gives the `SluiceError` for what a Postgres call threw; ours pass through. */
export async function explainPostgresError(thrown: unknown, context: ErrorContext): Promise<Error> {
  if (thrown instanceof SluiceError) return thrown;
  if (thrown instanceof DatabaseError) return await explainServerError(thrown, context);
  if (isConnectionProblem(thrown)) {
    return new UnreachableError(
      "POSTGRES_UNREACHABLE",
      `${context.doing}: the ${context.role} ${context.address} cannot be reached, or the connection broke: ${messageOf(thrown) || codeOf(thrown)}`,
      { cause: thrown, fields: { address: context.address } },
    );
  }
  return thrown instanceof Error ? thrown : new SluiceError("UNKNOWN", messageOf(thrown));
}

async function explainServerError(
  error: DatabaseError,
  context: ErrorContext,
): Promise<SluiceError> {
  const state = error.code ?? "";
  const missing = /^relation "(.+)" does not exist$/.exec(error.message)?.[1];
  if (state === "42P01" && missing !== undefined) {
    const where = `the ${context.role} ${context.address}`;
    try {
      return await unknownTable(context.read, missing, where);
    } catch {
      // The catalog cannot be asked right now: what the server said has to do.
    }
  }
  const message = [
    `${context.doing}: the ${context.role} ${context.address} says: ${error.message} (SQLSTATE ${state})`,
    error.detail && `Detail: ${shorten(error.detail)}`,
    error.where && `Where: ${shorten(error.where)}`,
    error.hint && `Hint: ${error.hint}`,
    byState(REMEDIES, state),
  ]
    .filter((part) => part !== undefined && part !== "")
    .map((part) => part?.replace(/\.?$/, "."))
    .join(" ");
  const options = {
    cause: error,
    fields: { sqlstate: state, table: error.table, column: error.column, address: context.address },
  };
  if (isCatalogRace(error)) return new SluiceError("CATALOG_RACE", message, options);
  const kind = byState(KINDS, state);
  if (kind === "unreachable") return new UnreachableError("POSTGRES_REFUSED", message, options);
  const Kind = kind === "permanent" ? PermanentError : SluiceError;
  return new Kind(codeFor(state), message, options);
}

/** Whether the transaction lost to another one, so that it may be repeated at once as a whole. */
export function lostToAnother(thrown: unknown): boolean {
  return (
    thrown instanceof DatabaseError &&
    (thrown.code === "40001" || thrown.code === "40P01" || isCatalogRace(thrown))
  );
}

/** Two transactions created the same schema or table: the second sees it when it starts again. */
function isCatalogRace(error: DatabaseError): boolean {
  return (
    error.code === "42P07" ||
    error.code === "42P06" ||
    // The type of the table's rows was there before the table could be seen.
    (error.code === "42710" && error.message.startsWith('type "')) ||
    (error.code === "23505" && error.schema === "pg_catalog")
  );
}

function codeFor(state: string): string {
  if (state === "23505") return "UNIQUE_VIOLATION";
  if (state === "53100") return "DISK_FULL";
  if (state.startsWith("22")) return "BAD_DATA";
  if (state.startsWith("23")) return "CONSTRAINT_VIOLATION";
  return "POSTGRES_ERROR";
}

function byState<T>(table: Readonly<Record<string, T>>, state: string): T | undefined {
  return table[state] ?? table[state.slice(0, 2)];
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
}

export function isConnectionProblem(thrown: unknown): boolean {
  if (thrown instanceof AggregateError) return thrown.errors.some(isConnectionProblem);
  return (
    CONNECTION_CODES.has(codeOf(thrown)) ||
    (thrown instanceof Error &&
      /^(Connection terminated|timeout expired|timeout exceeded|Client has encountered a connection error|Client was closed|Query read timeout|The server does not support SSL)/.test(
        thrown.message,
      ))
  );
}

/** A row may be megabytes long. */
function shorten(text: string): string {
  return text.length <= 300 ? text : `${text.slice(0, 300)}…`;
}
