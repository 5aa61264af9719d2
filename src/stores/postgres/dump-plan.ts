/**
 * What a dump consists of, as the catalog has it at the time of the snapshot: the columns, and which
 * rows each COPY is for.
 */
import { PermanentError } from "../../core/errors.ts";
import type { Column, CopyOutRequest } from "../../core/stores.ts";
import * as dump from "../../sql/postgres/dump.ts";
import {
  type Heap,
  selectBounds,
  type Share,
  sharePages,
  shareValues,
} from "../../sql/postgres/dump-shares.ts";
import { quoteTable } from "../../sql/postgres/quote.ts";
import {
  columnsOfQuery,
  columnsOfTable,
  type FoundTable,
  heapsOf,
  serverVersion,
} from "./catalog.ts";
import type { Read } from "./database.ts";

/** The first server that reads a range of pages without reading all of them. */
const TID_RANGE_SCAN = 140_000;

export type FoundRelation = (FoundTable & { readonly table: string }) | { readonly query: string };

export interface DumpPlan {
  readonly columns: readonly Column[];
  /** Of the table and its partitions on disk; undefined for views and queries. */
  readonly bytes: number | undefined;
  /** Looks that are no catalog's: they read the data, so they are printed. */
  readonly looks: readonly string[];
  /** A `COPY` for each share. */
  readonly statements: readonly string[];
}

/** Asked inside the dump's transaction, so that no change of the table comes between. */
export async function planDump(
  read: Read,
  relation: FoundRelation,
  request: CopyOutRequest,
): Promise<DumpPlan> {
  const { connections = 1, splitBy, nullText, project = (all) => all } = request;
  const found = await columnsOf(read, relation);
  const heaps = "query" in relation ? undefined : await heapsOf(read, relation);
  const columns = project(found);
  const looks: string[] = [];
  let shares: readonly Share[] = [{}];
  if (connections > 1 && splitBy !== undefined) {
    const look = boundsOf(relation, found, splitBy, connections);
    looks.push(look);
    const { rows } = await read<{ bound: string }>(look);
    shares = shareValues(
      splitBy,
      rows.map(({ bound }) => bound),
    );
  } else if (connections > 1) {
    shares = sharePages(await requirePages(read, relation, heaps), connections);
  }
  return {
    columns,
    bytes: heaps?.bytes,
    looks,
    statements: shares.map((share) => dump.copyOut(relation, columns, nullText, share)),
  };
}

async function columnsOf(read: Read, relation: FoundRelation): Promise<readonly Column[]> {
  const columns =
    "query" in relation
      ? await columnsOfQuery(read, relation.query)
      : await columnsOfTable(read, relation.oid);
  const names = columns.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (columns.length === 0 || twice !== undefined) {
    throw new PermanentError(
      "COLUMNS_INVALID",
      twice === undefined
        ? "there are no columns to dump"
        : `two columns of the query are called ${JSON.stringify(twice)}: give each a name of its own`,
    );
  }
  return columns.map(({ name, pgType }) => ({ name, pgType }));
}

function boundsOf(
  relation: FoundRelation,
  columns: readonly Column[],
  splitBy: string,
  parts: number,
): string {
  const column = columns.find(({ name }) => name === splitBy);
  const look = column && selectBounds(dump.fromOf(relation), column, parts);
  if (look === undefined) {
    throw cannotSplit(
      column === undefined
        ? `there is no column ${JSON.stringify(splitBy)} to split by`
        : `${JSON.stringify(splitBy)} is ${column.pgType}: split by a column of whole numbers, dates or timestamps`,
    );
  }
  return look;
}

/** What several connections can share without being told how. */
async function requirePages(
  read: Read,
  relation: FoundRelation,
  heaps: { readonly heaps: readonly Heap[] } | undefined,
): Promise<readonly Heap[]> {
  const advice = "name a column to split by, or use one connection";
  if ("query" in relation) throw cannotSplit(`a query has no pages: ${advice}`);
  if (heaps === undefined || heaps.heaps.length === 0 || !relation.lockable) {
    throw cannotSplit(`${relation.table} is no ordinary or partitioned table: ${advice}`);
  }
  if ((await serverVersion(read)) < TID_RANGE_SCAN) {
    throw cannotSplit(
      `this server is older than Postgres 14, and would read the table once for each share: ${advice}`,
    );
  }
  // Partitions have privileges and policies of their own. Those of the table count: as for one
  // connection, this throws where rows would be hidden.
  await read(`SELECT FROM ${quoteTable(relation.table)} LIMIT 0`);
  return heaps.heaps;
}

function cannotSplit(why: string): PermanentError {
  return new PermanentError("CANNOT_SPLIT", `a dump by several connections: ${why}`);
}
