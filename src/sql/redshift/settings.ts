/** What a session of ours sets on Redshift after it connected. Unknown start-up parameters are refused there. */
import { quoteLiteral } from "./quote.ts";

export const IN_UTC = "SET TimeZone TO 'UTC'";

/** `query_group` is how a statement carries its task id into `sys_query_history`, where the next attempt finds it. */
export function beginSession(label: string, statementTimeout?: number): readonly string[] {
  return [
    `SET query_group TO ${quoteLiteral(label)}`,
    IN_UTC,
    ...(statementTimeout === undefined ? [] : [`SET statement_timeout TO ${statementTimeout}`]),
  ];
}

/** Statements that are still at work, or wait their turn. */
const AT_WORK = `status IN (${["planning", "queued", "running", "returning"].map(quoteLiteral).join(", ")})`;

/** The sessions in which statements with this label are under way. */
export function sessionsAtWork(label: string): string {
  return `SELECT DISTINCT session_id FROM sys_query_history WHERE query_label = ${quoteLiteral(label)} AND ${AT_WORK}`;
}

/** `active`, `timed out` or `closed`. Every kind of cluster has the SYS views, and shows one one's own sessions. */
export function sessionStatus(pid: number): string {
  return `SELECT status FROM sys_session_history WHERE session_id = ${pid} ORDER BY start_time DESC LIMIT 1`;
}

/** How many statements of a session are at work, when the last one ended, and what the server's clock says. */
export function sessionProgress(pid: number): string {
  return `SELECT count(CASE WHEN ${AT_WORK} THEN 1 END) AS working, CAST(max(end_time) AS VARCHAR(32)) AS ended, CAST(SYSDATE AS VARCHAR(32)) AS clock FROM sys_query_history WHERE session_id = ${pid}`;
}
