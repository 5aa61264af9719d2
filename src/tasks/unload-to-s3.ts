/**
 * Brings rows of the warehouse to S3, as a dataset: out of Postgres they are streamed like a dump, Redshift
 * writes them itself. UNLOAD is no transaction, so its files go where only this attempt writes, and are
 * made the dataset by our manifest, after Redshift's own said that they are whole.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { SluiceError } from "../core/errors.ts";
import type { Progress } from "../core/run.ts";
import type { Dialect, Unloaded, Unloader, UnloadRequest, Warehouse } from "../core/stores.ts";
import { forReader } from "../sql/redshift/to-postgres.ts";
import { selectTable } from "../sql/select.ts";
import { statementsFor } from "../sql/statements.ts";
import type { DatasetContents, DatasetWriter } from "../targets/dataset-writer.ts";
import type { S3Dataset } from "../targets/s3-dataset.ts";
import { copyStatements, copyTableToS3, type Moved } from "./copy-table-to-s3.ts";

/** How the names of the files begin that Redshift writes. */
const PART = "part-";

export interface UnloadOptions {
  /** Who will read it. Default: the warehouse's own dialect. */
  readonly dialect?: Dialect | undefined;
  /** Parquet is written, and read, by Redshift only. Default CSV. */
  readonly format?: "csv" | "parquet" | undefined;
  /** At most so many MB a file. Redshift's default is 6.2 GB. */
  readonly fileMegabytes?: number | undefined;
  readonly signal: AbortSignal;
  readonly progress?: ((report: Progress) => void) | undefined;
}

/**
 * Unloads a table (`"mart.daily"`) or `{ query }` of the warehouse into a dataset.
 *
 * ```ts
 * ({ warehouse, output, signal }) => unloadToS3(warehouse, "mart.daily", output, { signal }),
 * ```
 */
export async function unloadToS3(
  warehouse: Warehouse,
  tableOrQuery: string | { readonly query: string },
  output: S3Dataset,
  options: UnloadOptions,
): Promise<Moved> {
  const { outlet } = warehouse;
  if (outlet.kind === "stream") {
    requireCsv(options);
    const { signal, dialect, progress = () => {} } = options;
    return await copyTableToS3(outlet.source, tableOrQuery, output, { signal, dialect, progress });
  }
  const writer = output.writer();
  const { manifest } = await writer.commit(
    await unloaded(
      outlet.unloader,
      writer,
      unloadRequest(warehouse, tableOrQuery, writer.taskId, writer.attemptUrl, options),
    ),
  );
  return { rows: manifest.dump.rows, bytes: manifest.dump.bytes };
}

/** The statements of an unload: what `sluice sql` prints. */
export async function unloadStatements(
  warehouse: Warehouse,
  tableOrQuery: string | { readonly query: string },
  output: S3Dataset,
  taskId: string,
  options: UnloadOptions,
): Promise<readonly string[]> {
  const { outlet } = warehouse;
  if (outlet.kind === "stream") {
    requireCsv(options);
    const { signal, dialect } = options;
    return await copyStatements(outlet.source, tableOrQuery, taskId, { signal, dialect });
  }
  const place = `${output.location}attempt-<attempt>/`;
  return await outlet.unloader.unloadStatements(
    unloadRequest(warehouse, tableOrQuery, taskId, place, options),
  );
}

function unloadRequest(
  { dialect }: Warehouse,
  tableOrQuery: string | { readonly query: string },
  taskId: string,
  place: string,
  { format = "csv", fileMegabytes, signal, dialect: reader = dialect }: UnloadOptions,
): UnloadRequest {
  const query =
    typeof tableOrQuery === "string"
      ? selectTable(tableOrQuery, statementsFor(dialect))
      : tableOrQuery.query;
  return {
    query,
    to: `${place}${PART}`,
    format:
      format === "parquet"
        ? { type: "parquet" }
        : { type: "csv", null: nullTextOf(taskId), compression: "gzip" },
    fileMegabytes,
    label: taskId,
    signal,
    project: (columns) => forReader(columns, reader),
  };
}

/** Nobody can look at what Redshift writes, so NULL has a text that nobody has stored. */
function nullTextOf(taskId: string): string {
  return `@NULL-${createHash("sha256").update(taskId).digest("hex").slice(0, 16)}@`;
}

const verboseManifest = z.object({
  entries: z.array(
    z.object({
      url: z.string(),
      meta: z.object({ content_length: z.number(), record_count: z.number() }),
    }),
  ),
});

async function unloaded(
  unloader: Unloader,
  writer: DatasetWriter,
  request: UnloadRequest,
): Promise<DatasetContents> {
  const started = new Date();
  const done: Unloaded = await unloader.unload(request);
  const text = (await writer.takeNote(`${PART}manifest`)) ?? '{"entries": []}';
  const { entries } = verboseManifest.parse(JSON.parse(text));
  const parts = entries.map(({ url, meta }) => ({
    url,
    bytes: meta.content_length,
    rows: meta.record_count,
  }));
  const rows = parts.reduce((total, part) => total + part.rows, 0);
  if (rows !== done.rows) {
    throw new SluiceError(
      "UNLOAD_INCOMPLETE",
      `${request.label}: Redshift says that it unloaded ${done.rows} rows, its manifest names files with ${rows}. Nothing was committed. It will be tried again.`,
    );
  }
  const dialect = done.columns.some(({ expression }) => expression !== undefined)
    ? "postgres"
    : "redshift";
  return { parts, dialect, columns: done.columns, format: request.format, started };
}

function requireCsv({ format }: UnloadOptions): void {
  if (format !== "parquet") return;
  throw new SluiceError(
    "FORMAT_UNSUPPORTED",
    "Postgres does not write Parquet, only Redshift does: unload CSV",
  );
}
