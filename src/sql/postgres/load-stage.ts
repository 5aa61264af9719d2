/**
 * A load by several sessions: only one of them can be in the transaction that carries the marker, so the
 * others fill stages, unlogged tables, which that one takes over. Pure text.
 */
import { createHash } from "node:crypto";
import type { Column } from "../../core/stores.ts";
import { parseTableName } from "../table-name.ts";
import { quoteColumns, quoteIdentifier, quoteTable } from "./quote.ts";
import { BEGIN_WRITE } from "./settings.ts";

/** Of one load and session; beside the table, where its owner may create tables. */
export function stageName(table: string, updateId: string, session: number): string {
  const { schema } = parseTableName(table);
  const hash = createHash("sha256").update(`${updateId}\0${table}`).digest("hex").slice(0, 16);
  const name = `sluice_load_${hash}_${session}`;
  return schema === undefined ? name : `${schema}.${name}`;
}

/** Opens the transaction of a stage. One that a process left behind when it died is replaced. */
export function openStage(stage: string, columns: readonly Column[]): string[] {
  const definitions = columns.map(({ name, pgType }) => `${quoteIdentifier(name)} ${pgType}`);
  return [
    ...BEGIN_WRITE,
    dropStage(stage),
    `CREATE UNLOGGED TABLE ${quoteTable(stage)} (${definitions.join(", ")})`,
  ];
}

/** Like COPY, it writes identity columns as they are. */
export function insertStage(table: string, stage: string, columns: readonly Column[]): string {
  const names = quoteColumns(columns);
  return `INSERT INTO ${quoteTable(table)} (${names}) OVERRIDING SYSTEM VALUE SELECT ${names} FROM ${quoteTable(stage)}`;
}

export function dropStage(stage: string): string {
  return `DROP TABLE IF EXISTS ${quoteTable(stage)}`;
}
