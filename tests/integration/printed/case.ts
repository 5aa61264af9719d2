/** A task and every statement that it sends, and what stands around the statements of each family. */
import type { Dialect } from "../../../src/core/stores.ts";
import type { Task } from "../../../src/core/task.ts";
import { sessionLabel } from "../../../src/stores/postgres/address.ts";

export interface Case {
  /** What is special about the task, where its family has several cases. */
  readonly title?: string;
  readonly task: Task;
  /** Default: one transaction with a marker of the task's table. */
  readonly around?: "transaction" | "serial" | "dump";
  /** What the marker is about, if not the task's `table`. */
  readonly about?: string;
  /** Statements in between, with `<bucket>`, `<attempt>` and `<hash>` for what differs from run to run. */
  readonly sends: Readonly<Partial<Record<Dialect, readonly string[]>>>;
}

/** Who Redshift is to S3, in every case. */
export const ROLE = "arn:aws:iam::123456789012:role/loader";

export const both = (...sends: readonly string[]) => ({ postgres: sends, redshift: sends });

/** All that is sent for a case. */
export function wholeOf({ task, around, about, sends }: Case, dialect: Dialect): readonly string[] {
  const own = sends[dialect] ?? [];
  const table = about ?? String(task.texts["table"]);
  if (around === "dump") {
    if (dialect === "redshift") return [...redshiftSession(task), ...own];
    return [...postgresDump, ...own, "COMMIT"];
  }
  const serial = around === "serial";
  return dialect === "redshift"
    ? onRedshift(task, table, serial, own)
    : onPostgres(task, table, serial, own);
}

const postgresSettings = [
  "TimeZone = 'UTC'",
  "DateStyle = 'ISO, MDY'",
  "IntervalStyle = 'iso_8601'",
  "extra_float_digits = 1",
  "bytea_output = 'hex'",
  "lc_monetary = 'C'",
  "statement_timeout = 0",
  "idle_in_transaction_session_timeout = 0",
];

const postgresDump = [
  "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
  ...[...postgresSettings, "lock_timeout = '30s'", "row_security = off"].map(
    (setting) => `SET LOCAL ${setting}`,
  ),
];

function onPostgres({ id }: Task, table: string, serial: boolean, own: readonly string[]) {
  const settings = [...postgresSettings, "lock_timeout = '10min'"];
  return [
    ...(serial ? [] : ["BEGIN ISOLATION LEVEL READ COMMITTED"]),
    ...settings.map((setting) => `SET ${serial ? "" : "LOCAL "}${setting}`),
    ...(serial
      ? [
          `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = '${sessionLabel(id)}' AND state = 'active'`,
        ]
      : []),
    `SELECT 1 FROM "table_updates" WHERE update_id = '${id}'`,
    ...own,
    ...(serial ? ["BEGIN"] : []),
    `INSERT INTO "table_updates" (update_id, target_table, inserted) VALUES ('${id}', '${table}', now()) ON CONFLICT DO NOTHING`,
    "COMMIT",
  ];
}

function onRedshift(task: Task, table: string, serial: boolean, own: readonly string[]) {
  return [
    ...redshiftSession(task),
    `SELECT 1 FROM "table_updates" WHERE "update_id" = '${task.id}'`,
    ...(serial ? [] : ["BEGIN"]),
    ...own,
    ...(serial ? ["BEGIN"] : []),
    'LOCK "table_updates_fence"',
    `INSERT INTO "table_updates" ("update_id", "target_table", "inserted") VALUES ('${task.id}', '${table}', GETDATE())`,
    "COMMIT",
  ];
}

function redshiftSession({ id }: Task): readonly string[] {
  const label = sessionLabel(id);
  return [
    `SET query_group TO '${label}'`,
    "SET TimeZone TO 'UTC'",
    `SELECT DISTINCT session_id FROM sys_query_history WHERE query_label = '${label}' AND status IN ('planning', 'queued', 'running', 'returning')`,
  ];
}
