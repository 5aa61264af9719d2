/**
 * Sends the files of a load to Postgres: one after the other on the session of the transaction, or on
 * several sessions at once, of which the others fill stages. Parsing text is what a load costs: to take
 * over a stage costs a quarter of that (measured).
 */
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { DatabaseError } from "pg";
import { PermanentError } from "../../core/errors.ts";
import type { Load, LoadFile, Transaction } from "../../core/stores.ts";
import { dropStage, insertStage, openStage, stageName } from "../../sql/postgres/load-stage.ts";
import { quoteTable } from "../../sql/postgres/quote.ts";
import { copyIn } from "../../sql/postgres/write.ts";
import type { Read } from "./database.ts";
import type { Session } from "./session.ts";

/** The files of one further session, and where it puts their rows. */
export interface Stage {
  readonly name: string;
  readonly open: readonly string[];
  readonly copy: string;
  readonly files: readonly LoadFile[];
  readonly insert: string;
  readonly drop: string;
}

export interface SharedFiles {
  /** Of the transaction's own session. */
  readonly own: readonly LoadFile[];
  readonly stages: readonly Stage[];
}

/** Deals the files out, in turns. Without a transaction, or in another format, all are for one. */
export async function shareFiles(
  transaction: Pick<Transaction, "describe" | "mode">,
  load: Load,
  updateId: string,
): Promise<SharedFiles> {
  const { table, files, format, connections = 1 } = load;
  const sessions = Math.min(connections, files.length);
  if (format.type !== "csv" || transaction.mode === "serial" || sessions <= 1) {
    return { own: files, stages: [] };
  }
  const shareOf = (session: number) => files.filter((_, index) => index % sessions === session);
  // A stage has the table's types. A table that is only printed is not there yet.
  const existing = (await transaction.describe(table)) ?? [];
  const columns = load.columns.map(
    (column) => existing.find(({ name }) => name === column.name) ?? column,
  );
  return {
    own: shareOf(0),
    stages: Array.from({ length: sessions - 1 }, (_, index) => {
      const name = stageName(table, updateId, index + 1);
      return {
        name,
        open: openStage(name, columns),
        copy: copyIn(name, columns, format.null),
        files: shareOf(index + 1),
        insert: insertStage(table, name, columns),
        drop: dropStage(name),
      };
    }),
  };
}

/** Tells a stage from another attempt's of the same name; empty when there is none. */
export async function stageIdentity(read: Read, stage: string): Promise<string> {
  const { rows } = await read<{ oid: string | null }>("SELECT to_regclass($1)::oid::text AS oid", [
    quoteTable(stage),
  ]);
  return rows[0]?.oid ?? "";
}

/** Gives how many rows the server took; after the first that fails, none goes on. */
export async function together(
  signal: AbortSignal,
  works: readonly ((signal: AbortSignal) => Promise<number>)[],
): Promise<readonly number[]> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const ends = await Promise.allSettled(
    works.map(async (work) => {
      try {
        return await work(either);
      } catch (error) {
        stop.abort(error);
        throw error;
      }
    }),
  );
  // The first failure; the others are its consequences.
  if (stop.signal.aborted) throw stop.signal.reason;
  return ends.map((end) => (end.status === "fulfilled" ? end.value : 0));
}

/** Copies files on one session. The next one is opened early: S3 takes a while to answer. */
export async function copyFiles(
  session: Session,
  sql: string,
  files: readonly LoadFile[],
  signal: AbortSignal,
  report: (rows: number) => void,
): Promise<number> {
  let rows = 0;
  let next: Readable | undefined;
  try {
    for (const [index, file] of files.entries()) {
      const bytes = next ?? file.open();
      next = files[index + 1]?.open();
      const copied = await copyFile(session, sql, file, bytes, signal);
      rows += copied;
      report(copied);
    }
  } finally {
    next?.destroy();
  }
  return rows;
}

async function copyFile(
  session: Session,
  sql: string,
  file: LoadFile,
  bytes: Readable,
  signal: AbortSignal,
): Promise<number> {
  const copy = session.copyIn(sql);
  try {
    await pipeline(bytes, copy, { signal });
  } catch (error) {
    throw inFile(error, file.from);
  }
  if (file.rows !== undefined && copy.rowCount !== file.rows) {
    throw new PermanentError(
      "ROW_COUNT_MISMATCH",
      `${file.from}: the manifest promises ${file.rows} rows, the warehouse took ${copy.rowCount}. Nothing was committed. Dump the table again.`,
    );
  }
  return copy.rowCount;
}

/** Postgres says the line; only we know the file. */
function inFile(error: unknown, file: string): unknown {
  if (error instanceof DatabaseError) error.where = `${file}: ${error.where ?? ""}`;
  return error;
}
