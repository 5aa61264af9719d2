/**
 * Dumps a table or a query to S3: one read-only snapshot, streamed by COPY as CSV, compressed, in
 * flat memory, committed by its manifest. `copyTableToS3` works inside any `run`; `TableCopyToS3` is the
 * family around it.
 */
import { createHash, randomBytes } from "node:crypto";
import { pipeline } from "node:stream/promises";
import type { Temporal } from "temporal-polyfill";
import { defineTask } from "../core/define.ts";
import { p } from "../core/params/p.ts";
import type { Progress } from "../core/run.ts";
import type { Column, CopyOutRequest, Dialect, Source } from "../core/stores.ts";
import { forRedshift, type RedshiftColumns } from "../sql/redshift/types.ts";
import { type Compression, defaultCompression } from "../targets/compression.ts";
import type {
  CommittedDataset,
  DatasetContents,
  DatasetWriter,
} from "../targets/dataset-writer.ts";
import { type S3Dataset, s3Dataset } from "../targets/s3-dataset.ts";
import { redshiftColumns } from "./definition-params.ts";
import { NullTextFound, proveNullText } from "./prove-null-text.ts";
import { RollingFiles } from "./rolling-files.ts";

export interface CopyTableOptions {
  readonly signal?: AbortSignal;
  readonly progress?: (report: Progress) => void;
  /** Connections to the source, all of which see one snapshot. Default 1. */
  readonly connections?: number | undefined;
  /**
   * The column, of whole numbers, dates or timestamps, by which several connections share the rows.
   * Tables need none on Postgres 14 or newer; queries, views and foreign tables do.
   */
  readonly splitBy?: string | undefined;
  /** Who will read the dump. Default `postgres`, whose dumps Redshift can read too unless it says otherwise. */
  readonly dialect?: Dialect | undefined;
  /** For Redshift, by column: a type of one's own, what to cut, what to make NULL. */
  readonly columns?: RedshiftColumns | undefined;
  /** Default: zstd where this Node has it (22.15 and newer), else gzip. */
  readonly compression?: Compression | undefined;
  /** Uncompressed bytes of a file. Default: a sixteenth of the table, but 64 to 256 MB. */
  readonly fileBytes?: number;
  /** Files that are compressed and uploaded at once. Default: one a core, at most 4. */
  readonly lanes?: number;
}

/** What a run answers: small, because it is kept with the completion. */
export interface Moved {
  readonly rows: number;
  /** Bytes in S3. */
  readonly bytes: number;
}

/** What stands for NULL, unless a value of the table looks like it. */
const NULL_TEXT = "@NULL@";
const TRIES = 3;

/** A multiple of the slices of most Redshift clusters, which read a file each. */
const FILES = 16;
const MIN_FILE_BYTES = 64 * 1024 * 1024;
const MAX_FILE_BYTES = 256 * 1024 * 1024;

/**
 * Dumps a table (`"shop.orders"`) or `{ query }` into a dataset.
 *
 * ```ts
 * ({ source, params, output, signal, progress }) =>
 *   copyTableToS3(source, params.table, output, { signal, progress }),
 * ```
 */
export async function copyTableToS3(
  source: Source,
  tableOrQuery: string | { readonly query: string },
  output: S3Dataset,
  options: CopyTableOptions = {},
): Promise<Moved> {
  const from = typeof tableOrQuery === "string" ? { table: tableOrQuery } : tableOrQuery;
  const writer = output.writer();
  const { manifest } = await dumpWithProof(source, from, writer, options);
  return { rows: manifest.dump.rows, bytes: manifest.dump.bytes };
}

/** The statements of `copyTableToS3`, for the sessions that `label` names: what `sluice sql` prints. */
export async function copyStatements(
  source: Source,
  tableOrQuery: string | { readonly query: string },
  label: string,
  options: CopyTableOptions,
): Promise<readonly string[]> {
  const { connections, splitBy, signal } = options;
  return await source.copyOutStatements({
    from: typeof tableOrQuery === "string" ? { table: tableOrQuery } : tableOrQuery,
    nullText: NULL_TEXT,
    label,
    project: projectionFor(options),
    connections,
    splitBy,
    ...withSignal(signal),
  });
}

async function dumpWithProof(
  source: Source,
  from: CopyOutRequest["from"],
  writer: DatasetWriter,
  options: CopyTableOptions,
): Promise<CommittedDataset> {
  let nullText = NULL_TEXT;
  for (let tries = 1; ; tries++) {
    const { connections, splitBy, signal } = options;
    const parallel = { connections, splitBy };
    const project = projectionFor(options);
    const request = {
      from,
      nullText,
      label: writer.taskId,
      project,
      ...parallel,
      ...withSignal(signal),
    };
    let contents: DatasetContents;
    try {
      contents = await dump(source, request, writer, options);
    } catch (error) {
      await discard(writer);
      if (!(error instanceof NullTextFound) || tries === TRIES) throw error;
      nullText = `@NULL-${randomBytes(8).toString("hex")}@`;
      continue;
    }
    return await writer.commit(contents);
  }
}

async function dump(
  source: Source,
  request: CopyOutRequest,
  writer: DatasetWriter,
  options: CopyTableOptions,
): Promise<DatasetContents> {
  const { signal, progress, lanes, compression = defaultCompression() } = options;
  const started = new Date();
  return await source.copyOut(request, async ({ columns, snapshot, bytes, blocks }) => {
    const files = new RollingFiles({
      part: (name, body) => writer.part(name, body),
      compression,
      fileBytes: options.fileBytes ?? fileBytesFor(bytes),
      lanes,
    });
    const proof = proveNullText(request.nullText, (totals) => progress?.(totals));
    await pipeline(blocks, proof, files, withSignal(signal));
    const format = { type: "csv", null: request.nullText, compression } as const;
    const { dialect } = options;
    return { parts: files.parts, dialect, columns, format, snapshot, started };
  });
}

function projectionFor({
  dialect,
  columns,
}: Pick<CopyTableOptions, "dialect" | "columns">): CopyOutRequest["project"] {
  if (dialect !== "redshift") return undefined;
  return (found: readonly Column[]) => forRedshift(found, columns);
}

function fileBytesFor(tableBytes = MAX_FILE_BYTES * FILES): number {
  return Math.max(MIN_FILE_BYTES, Math.min(MAX_FILE_BYTES, Math.ceil(tableBytes / FILES)));
}

/** What it deletes is invisible, so failing to is no failure; the sweep comes by later. */
async function discard(writer: DatasetWriter): Promise<void> {
  try {
    await writer.discard();
  } catch {
    // The error that led here says more.
  }
}

function withSignal(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

/**
 * Where the dump of a table, or of a query about it, belongs. Queries have their own tree: a dump of
 * some rows must never pass for the dump of the table.
 */
function datasetPrefix({ table, date, query, dialect, columns }: DumpParams): string {
  const name = encodeURIComponent(table).replaceAll("'", "%27");
  const tree = `${dialect === "redshift" ? "redshift/" : ""}${query === undefined ? "dumps" : "queries"}`;
  const what = [
    ...(query === undefined ? [] : [query]),
    ...(columns === undefined ? [] : [columns]),
  ];
  if (what.length === 0) return `${tree}/${name}/${date}/`;
  const text = what
    .map((part) => (typeof part === "string" ? part : JSON.stringify(part)))
    .join("\0");
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
  return `${tree}/${name}/${hash}/${date}/`;
}

interface DumpParams {
  readonly table: string;
  readonly date: Temporal.PlainDate;
  readonly query?: string | undefined;
  readonly dialect?: Dialect | undefined;
  readonly columns?: RedshiftColumns | undefined;
}

/**
 * Dumps a table of the source to `dumps/<table>/<date>/`. With `query`, the rows of that query, which
 * are about the table, to `queries/<table>/<hash of the query>/<date>/`. With `dialect: "redshift"`, in a
 * form that Redshift holds exactly, below `redshift/`; `columns` says what the type map should not decide.
 * `connections` and `splitBy` are as in `CopyTableOptions`: how, not what, so not part of the id.
 */
export const TableCopyToS3 = defineTask(
  {
    name: "TableCopyToS3",
    params: {
      table: p.table(),
      date: p.date(),
      query: p.text().optional(),
      dialect: p.choice(["postgres", "redshift"]).optional(),
      columns: redshiftColumns.optional(),
      connections: p
        .int({ min: 1, max: 64, significant: false, description: "Sessions that share the rows" })
        .default(1),
      splitBy: p
        .identifier({ significant: false, description: "The column by which they share them" })
        .optional(),
    },
    output: (params) => s3Dataset(datasetPrefix(params)),
    queue: "copy",
    sql: ({ params: { table, query, ...params }, source, task, signal }) =>
      copyStatements(source, query === undefined ? table : { query }, task.id, {
        ...params,
        signal,
      }),
  },
  ({ params: { table, query, ...params }, source, output, signal, progress }) =>
    copyTableToS3(source, query === undefined ? table : { query }, output, {
      ...params,
      signal,
      progress,
    }),
);
