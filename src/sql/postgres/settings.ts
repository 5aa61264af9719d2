/** What sessions of ours set, and how others of the same task are found. Pure text. */
import { quoteLiteral } from "./quote.ts";

/**
 * Session settings that change how values are written as text or read back. Measured: with a server's
 * own settings, `0.1 + 0.2` prints as `0.3`, dates as `04/03/2020`, and old timestamps with offsets in
 * seconds. They are set in the transaction only, so they pass through a connection pooler.
 */
const TEXT_FORMAT = [
  "SET LOCAL TimeZone = 'UTC'",
  "SET LOCAL DateStyle = 'ISO, MDY'",
  "SET LOCAL IntervalStyle = 'iso_8601'",
  "SET LOCAL extra_float_digits = 1",
  "SET LOCAL bytea_output = 'hex'",
  "SET LOCAL lc_monetary = 'C'",
];

/** A dump or a load may take hours and wait for S3 in between; a server's defaults must not end it. */
const NO_TIMEOUTS = [
  "SET LOCAL statement_timeout = 0",
  "SET LOCAL idle_in_transaction_session_timeout = 0",
];

/**
 * The beginning of a dump. Policies that would hide rows are an error (`row_security`), as in
 * pg_dump. The lock is waited for briefly: behind a queued ALTER TABLE every reader would wait.
 */
export const BEGIN_DUMP: readonly string[] = [
  "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
  ...TEXT_FORMAT,
  ...NO_TIMEOUTS,
  "SET LOCAL lock_timeout = '30s'",
  "SET LOCAL row_security = off",
];

/**
 * The beginning of a warehouse transaction. READ COMMITTED is needed, not just enough: each
 * statement after LOCK TABLE must see what the former holder of the lock committed. Another load
 * may rightly hold that lock for minutes.
 */
export const BEGIN_WRITE: readonly string[] = [
  "BEGIN ISOLATION LEVEL READ COMMITTED",
  ...TEXT_FORMAT,
  ...NO_TIMEOUTS,
  "SET LOCAL lock_timeout = '10min'",
];

/** The same for a session in which every statement commits on its own. */
export const BEGIN_SERIAL: readonly string[] = BEGIN_WRITE.slice(1).map((statement) =>
  statement.replace("SET LOCAL", "SET"),
);

/** The sessions with this label in which a statement runs. */
export function sessionsAtWork(label: string): string {
  return `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = ${quoteLiteral(label)} AND state = 'active'`;
}
