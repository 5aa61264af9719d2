/** What a session of ours sets on Redshift after it connected. Unknown start-up parameters are refused there. */
import { quoteLiteral } from "./quote.ts";

/** `query_group` is how a statement carries its task id into `sys_query_history`, where the next attempt finds it. */
export function beginSession(label: string, statementTimeout?: number): readonly string[] {
  return [
    `SET query_group TO ${quoteLiteral(label)}`,
    "SET TimeZone TO 'UTC'",
    ...(statementTimeout === undefined ? [] : [`SET statement_timeout TO ${statementTimeout}`]),
  ];
}

/** Statements of these sessions are still at work, or wait their turn. */
const AT_WORK = ["planning", "queued", "running", "returning"].map(quoteLiteral).join(", ");

/** The sessions in which statements with this label are under way. */
export function sessionsAtWork(label: string): string {
  return `SELECT DISTINCT session_id FROM sys_query_history WHERE query_label = ${quoteLiteral(label)} AND status IN (${AT_WORK})`;
}

export function terminate(pid: number): string {
  return `SELECT pg_terminate_backend(${pid})`;
}
