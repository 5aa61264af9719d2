/**
 * Which sessions of a server are in somebody's way, as SELECTs with one column, `pid`, and how one is
 * ended. Our own session is among them: it is told apart by its number. Pure text.
 */
import type { Dialect } from "../core/stores.ts";
import type { Quoting } from "./quoting.ts";
import { sessionsAtWork } from "./redshift/settings.ts";
import { parseTableName } from "./table-name.ts";

/** Whose sessions: those that hold a lock on a table, those of a user, those with a label. */
export type Sessions =
  | { readonly table: string }
  | { readonly user: string }
  /** `application_name` on Postgres, `query_group` on Redshift: of a task's session, its id. */
  | { readonly label: string };

export const OWN_SESSION = "SELECT pg_backend_pid() AS own";

export function openSessions(which: Sessions, dialect: Dialect, quoting: Quoting): string {
  return dialect === "postgres" ? onPostgres(which, quoting) : onRedshift(which, quoting);
}

export function endSession(pid: number): string {
  return `SELECT pg_terminate_backend(${pid})`;
}

const OF_THIS_DATABASE = "datname = current_database() AND backend_type = 'client backend'";

function onPostgres(which: Sessions, { quoteLiteral, quoteTable }: Quoting): string {
  if ("table" in which) {
    const oid = `to_regclass(${quoteLiteral(quoteTable(which.table))})`;
    return `SELECT DISTINCT l.pid FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database WHERE l.granted AND l.relation = ${oid} AND d.datname = current_database() ORDER BY l.pid`;
  }
  const [column, value] =
    "user" in which ? ["usename", which.user] : ["application_name", which.label];
  return `SELECT pid FROM pg_stat_activity WHERE ${OF_THIS_DATABASE} AND ${column} = ${quoteLiteral(value)} ORDER BY pid`;
}

/** `svv_transactions` has the sessions with an open transaction, also on Serverless, which lacks STV views. */
function onRedshift(which: Sessions, { quoteLiteral }: Quoting): string {
  if ("label" in which) return sessionsAtWork(which.label);
  const open = "SELECT DISTINCT t.pid FROM svv_transactions AS t";
  if ("user" in which) {
    return `${open} WHERE t.txn_owner = ${quoteLiteral(which.user.toLowerCase())} AND t.txn_db = current_database() ORDER BY t.pid`;
  }
  const { schema, table } = parseTableName(which.table.toLowerCase());
  const inSchema =
    schema === undefined ? "pg_table_is_visible(c.oid)" : `n.nspname = ${quoteLiteral(schema)}`;
  return `${open} JOIN pg_class AS c ON c.oid = t.relation JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE t.granted AND t.txn_db = current_database() AND c.relname = ${quoteLiteral(table)} AND ${inSchema} ORDER BY t.pid`;
}
