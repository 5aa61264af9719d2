/**
 * Dumps a table or a query to S3: one read-only snapshot, streamed by COPY as CSV, gzipped, in flat
 * memory, committed by its manifest. `copyTableToS3` works inside any `run`; `TableCopyToS3` is the
 * family around it.
 */
import { createHash, randomBytes } from "node:crypto";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { defineTask } from "../core/define.ts";
import { PermanentError } from "../core/errors.ts";
import { p } from "../core/params/p.ts";
import type { Progress } from "../core/run.ts";
import type { Block, CopyOutRequest, Source } from "../core/stores.ts";
import type {
  CommittedDataset,
  DatasetContents,
  DatasetWriter,
} from "../targets/dataset-writer.ts";
import { type S3Dataset, s3Dataset } from "../targets/s3-dataset.ts";
import { RollingFiles } from "./rolling-files.ts";

export interface CopyTableOptions {
  readonly signal?: AbortSignal;
  readonly progress?: (report: Progress) => void;
  /** Uncompressed bytes of a file. Default 256 MB. */
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

async function dumpWithProof(
  source: Source,
  from: CopyOutRequest["from"],
  writer: DatasetWriter,
  options: CopyTableOptions,
): Promise<CommittedDataset> {
  let nullText = NULL_TEXT;
  for (let tries = 1; ; tries++) {
    const request = { from, nullText, label: writer.taskId, ...withSignal(options.signal) };
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
  { signal, progress, fileBytes, lanes }: CopyTableOptions,
): Promise<DatasetContents> {
  const started = new Date();
  return await source.copyOut(request, async ({ columns, snapshot, blocks }) => {
    const files = new RollingFiles({
      part: (name, body) => writer.part(name, body),
      fileBytes,
      lanes,
    });
    const proof = proveNullText(request.nullText, (totals) => progress?.(totals));
    await pipeline(blocks, proof, files, withSignal(signal));
    const format = { type: "csv", null: request.nullText, compression: "gzip" } as const;
    return { parts: files.parts, columns, format, snapshot, started };
  });
}

/**
 * Postgres quotes a value that equals the NULL text, so the quoted text is in the stream exactly when
 * a value looks like it. Readers that do not tell the two apart (Redshift, it is said) would lose that
 * value: the dump is made again, with a text that nobody can have stored.
 */
function proveNullText(nullText: string, report: (totals: Progress) => void): Transform {
  const quoted = Buffer.from(`"${nullText}"`);
  let rows = 0;
  let bytes = 0;
  return new Transform({
    objectMode: true,
    highWaterMark: 1,
    transform(block: Block, _encoding, done) {
      if (block.buffer.includes(quoted)) {
        done(new NullTextFound("NULL_TEXT_FOUND", `the data contains ${nullText} as text`));
        return;
      }
      rows += block.rows;
      bytes += block.buffer.length;
      report({ rows, bytes });
      done(null, block);
    },
  });
}

class NullTextFound extends PermanentError {}

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
function datasetPrefix(table: string, date: string, query: string | undefined): string {
  const name = encodeURIComponent(table).replaceAll("'", "%27");
  if (query === undefined) return `dumps/${name}/${date}/`;
  const hash = createHash("sha256").update(query).digest("hex").slice(0, 16);
  return `queries/${name}/${hash}/${date}/`;
}

/**
 * Dumps a table of the source to `dumps/<table>/<date>/`. With `query`, the rows of that query, which
 * are about the table, to `queries/<table>/<hash of the query>/<date>/`.
 */
export const TableCopyToS3 = defineTask(
  {
    name: "TableCopyToS3",
    params: { table: p.table(), date: p.date(), query: p.text().optional() },
    output: ({ table, date, query }) => s3Dataset(datasetPrefix(table, date.toString(), query)),
    queue: "copy",
    sql: ({ params, source, task, signal }) =>
      source.copyOutStatements({
        from: params.query === undefined ? { table: params.table } : { query: params.query },
        nullText: NULL_TEXT,
        label: task.id,
        signal,
      }),
  },
  ({ params: { table, query }, source, output, signal, progress }) =>
    copyTableToS3(source, query === undefined ? table : { query }, output, { signal, progress }),
);
