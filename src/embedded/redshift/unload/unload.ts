/**
 * UNLOAD: rows of COPY TO STDOUT on the client's own session, written to S3 as Redshift writes them. It
 * is no part of the transaction: what got to S3 stays there.
 */

import { DeleteObjectsCommand, PutObjectCommand, paginateListObjectsV2 } from "@aws-sdk/client-s3";
import { type Backend, BackendError } from "../backend.ts";
import { checkCompression } from "../compression.ts";
import { s3Client, s3Error } from "../s3-access.ts";
import type { UnloadStatement } from "../sql/unload-statement.ts";
import { SqlError } from "../sql-error.ts";
import type { Job } from "../statement-runner.ts";
import { code, query, typeOf } from "../wire/message.ts";
import { PartFiles, type WrittenFile } from "./part-files.ts";
import { type ResultColumn, resultColumns } from "./result-columns.ts";
import { partitionOf } from "./partition.ts";
import { headerLine, type RowFormat, rowFormat } from "./row-format.ts";

/** Gives the number of rows. */
export async function unload(
  job: Job,
  statement: UnloadStatement,
  queryId: string,
): Promise<number> {
  checkCompression(statement.compression);
  const client = s3Client(job.standIn.s3, statement.credentials);
  const url = `s3://${statement.to.bucket}/${statement.to.key}`;
  try {
    const columns = await resultColumns(job.backend, statement.select);
    await prepareDestination(client, statement, job.signal);
    const partition = partitionOf(statement, columns);
    const header = statement.header ? headerLine(statement, partition.columns) : "";
    const files = new PartFiles(client, statement, job.standIn.slices, header);
    const rows = await transfer(job, statement, rowFormat(statement, partition), files);
    if (statement.manifest !== "none")
      await writeManifest(client, statement, files.written, columns);
    await record(job, files.written, queryId);
    return rows;
  } catch (error) {
    job.signal.throwIfAborted();
    throw error instanceof BackendError ? error : s3Error(error, url, queryId);
  } finally {
    client.destroy();
  }
}

/** Files that are there already: an error, overwritten one by one, or removed. */
async function prepareDestination(
  client: ReturnType<typeof s3Client>,
  { to, overwrite }: UnloadStatement,
  signal: AbortSignal,
): Promise<void> {
  if (overwrite === "allow") return;
  const pages = paginateListObjectsV2(
    { client },
    { Bucket: to.bucket, Prefix: to.key },
    { abortSignal: signal },
  );
  for await (const { Contents = [] } of pages) {
    if (Contents.length === 0) continue;
    if (overwrite === "refuse") {
      throw new SqlError(
        "XX000",
        "Specified unload destination on S3 is not empty. Consider using a different bucket / prefix, manually removing the target files in S3, or using the ALLOWOVERWRITE option.",
      );
    }
    const Objects = Contents.map(({ Key }) => ({ Key }));
    await client.send(new DeleteObjectsCommand({ Bucket: to.bucket, Delete: { Objects } }));
  }
}

async function transfer(
  job: Job,
  statement: UnloadStatement,
  format: RowFormat,
  files: PartFiles,
): Promise<number> {
  const { backend, signal } = job;
  let rows = 0;
  let done = false;
  let failure: BackendError | undefined;
  const take = async () => {
    await backend.untilReady(async (message) => {
      const type = typeOf(message);
      if (type === code("d")) {
        signal.throwIfAborted();
        rows += 1;
        const { line, folder } = format(message.subarray(5));
        await files.write(line, folder);
      } else if (type === code("E")) failure = new BackendError(message);
    });
    done = true;
  };
  // A cancelled client must not wait for a row that may be long in coming.
  const cancel = () => void backend.cancel().catch(() => {});
  signal.addEventListener("abort", cancel, { once: true });
  try {
    await backend.channel.send(query(`COPY (${statement.select}) TO STDOUT`));
    await take();
    signal.throwIfAborted();
    if (failure !== undefined) throw failure;
    await files.finish();
    signal.throwIfAborted();
    return rows;
  } catch (error) {
    await files.abandon(error instanceof Error ? error : new Error(String(error)));
    if (!done) await endCopy(backend);
    throw error;
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

/** Ends a COPY whose rows nobody wants, before anything else is sent: no cancel may hit what follows. */
async function endCopy(backend: Backend): Promise<void> {
  const [cancelled] = await Promise.allSettled([backend.cancel(), backend.untilReady(() => {})]);
  if (cancelled.status === "rejected") throw cancelled.reason;
}

async function writeManifest(
  client: ReturnType<typeof s3Client>,
  { to, manifest }: UnloadStatement,
  files: readonly WrittenFile[],
  columns: readonly ResultColumn[],
): Promise<void> {
  const entries = files.map(({ url, rows, bytes }) => ({
    url,
    ...(manifest === "verbose" ? { meta: { content_length: bytes, record_count: rows } } : {}),
  }));
  const total = (count: (file: WrittenFile) => number) =>
    files.reduce((sum, file) => sum + count(file), 0);
  const verbose = {
    schema: {
      elements: columns.map(({ name, type }) => ({
        name,
        type: { base: type.replace(/\(.*/, "") },
      })),
    },
    meta: { content_length: total(({ bytes }) => bytes), record_count: total(({ rows }) => rows) },
    author: { name: "Amazon Redshift", version: "1.0.0" },
  };
  const body = manifest === "verbose" ? { entries, ...verbose } : { entries };
  await client.send(
    new PutObjectCommand({
      Bucket: to.bucket,
      Key: `${to.key}manifest`,
      Body: `${JSON.stringify(body, undefined, 2)}\n`,
    }),
  );
}

async function record(job: Job, files: readonly WrittenFile[], queryId: string): Promise<void> {
  await job.standIn.withDatabase(job.database, async (client) => {
    for (const { url, rows, bytes } of files) {
      await client.query(
        "INSERT INTO sluice_standin.unloaded_file (query, pid, path, line_count, transfer_size) VALUES ($1, $2, $3, $4, $5)",
        [queryId, job.backend.pid, url, rows, bytes],
      );
    }
  });
}
