/**
 * COPY: files from S3, through Redshift's rules, into COPY FROM STDIN on the client's own session. It
 * holds one piece of one file at a time.
 */

import type { S3Client } from "@aws-sdk/client-s3";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import { readObject } from "../../../stores/s3/read-object.ts";
import type { Job } from "../statement-runner.ts";
import { BackendError } from "../backend.ts";
import { checkCompression, decompressor } from "../compression.ts";
import { s3Client, s3Error } from "../s3-access.ts";
import type { CopyStatement } from "../sql/copy-statement.ts";
import type { S3Path } from "../sql/option-values.ts";
import { quotedName } from "../sql/token.ts";
import { SqlError } from "../sql-error.ts";
import { code, copyDataHeader, message, query, text, typeOf } from "../wire/message.ts";
import { CsvReader } from "./csv-reader.ts";
import { DelimitedReader } from "./delimited-reader.ts";
import { type JsonPath, readJsonPaths } from "./json-paths.ts";
import { byName, byPaths, JsonReader } from "./json-reader.ts";
import { type LoadError, recordLoadErrors } from "./load-errors.ts";
import { RowConversion } from "./row-conversion.ts";
import type { RowReader } from "./row.ts";
import { filesOfManifest, filesOfPrefix, urlOf } from "./source-files.ts";
import { type TargetTable, targetTable } from "./target-table.ts";

export interface Loaded {
  readonly rows: number;
  readonly rejected: number;
}

/** Bytes of rows that are sent at once. */
const BATCH = 64 * 1024;

export async function load(job: Job, statement: CopyStatement, queryId: string): Promise<Loaded> {
  checkCompression(statement.compression);
  const target = await targetTable(job.backend, statement);
  const client = s3Client(job.standIn.s3, statement.credentials);
  try {
    const lookup = { client, queryId, signal: job.signal };
    const files = statement.manifest
      ? await filesOfManifest(statement.from, lookup)
      : await filesOfPrefix(statement.from, lookup);
    const { format } = statement;
    const paths =
      format.kind === "json" && format.paths !== undefined
        ? await readJsonPaths(format.paths, target.columns.length, lookup)
        : undefined;
    return await new Load(job, statement, { queryId, target, client, paths }).run(files);
  } catch (error) {
    job.signal.throwIfAborted();
    throw error;
  } finally {
    client.destroy();
  }
}

class Load {
  readonly #job: Job;
  readonly #statement: CopyStatement;
  readonly #queryId: string;
  readonly #target: TargetTable;
  readonly #client: S3Client;
  readonly #paths: readonly JsonPath[] | undefined;
  readonly #conversion: RowConversion;
  readonly #errors: LoadError[] = [];
  #rows = 0;

  constructor(
    job: Job,
    statement: CopyStatement,
    given: {
      readonly queryId: string;
      readonly target: TargetTable;
      readonly client: S3Client;
      readonly paths: readonly JsonPath[] | undefined;
    },
  ) {
    this.#job = job;
    this.#statement = statement;
    this.#queryId = given.queryId;
    this.#target = given.target;
    this.#client = given.client;
    this.#paths = given.paths;
    this.#conversion = new RowConversion(given.target.columns, statement);
  }

  async run(files: readonly S3Path[]): Promise<Loaded> {
    const { backend, signal } = this.#job;
    if (this.#statement.noLoad) {
      await this.#outcome(() => this.#send(files, signal));
      return { rows: 0, rejected: this.#errors.length };
    }
    await backend.channel.send(query(this.#copySql()));
    const first = await backend.channel.next();
    if (typeOf(first) !== code("G")) {
      await backend.untilReady(() => {});
      throw new BackendError(first);
    }
    // Whatever Postgres says before it was told that the rows are over is an error.
    const over = new AbortController();
    void backend.channel.arrival().then(() => over.abort());
    await this.#outcome(async () => {
      try {
        await this.#send(files, AbortSignal.any([signal, over.signal]));
        await backend.channel.send(message("c"));
      } catch (error) {
        if (!backend.channel.pending) {
          await backend.channel.send(message("f", text("refused by the stand-in")));
          await backend.untilReady(() => {});
          throw error;
        }
      }
      await this.#finish();
    });
    return { rows: this.#rows, rejected: this.#errors.length };
  }

  /** The errors of rows are kept, whether they ended the load or not. */
  async #outcome(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } finally {
      if (this.#errors.length > 0) await this.#record();
    }
  }

  async #finish(): Promise<void> {
    let failure: BackendError | undefined;
    await this.#job.backend.untilReady((answer) => {
      if (typeOf(answer) === code("E")) failure = new BackendError(answer);
    });
    if (failure !== undefined) throw failure;
  }

  #copySql(): string {
    const { name, columns } = this.#target;
    const list = columns.map((column) => quotedName(column.name)).join(", ");
    return `COPY ${name} (${list}) FROM STDIN`;
  }

  async #send(files: readonly S3Path[], signal: AbortSignal): Promise<void> {
    let batch = "";
    const flush = async () => {
      signal.throwIfAborted();
      if (batch === "") return;
      const bytes = Buffer.from(batch, "latin1");
      batch = "";
      if (this.#statement.noLoad) return;
      await this.#job.backend.channel.send(copyDataHeader(bytes.length), bytes);
    };
    for (const file of files) {
      const url = urlOf(file);
      for await (const rows of this.#rowsOf(file, signal)) {
        for (const row of rows) {
          const converted = this.#conversion.convert(row);
          if (typeof converted === "string") {
            batch += converted;
            this.#rows += 1;
            if (batch.length >= BATCH) await flush();
          } else {
            this.#errors.push({ file: url, row, ...converted });
            if (this.#errors.length >= this.#statement.maxErrors) throw this.#failure();
          }
        }
        await flush();
      }
    }
  }

  async *#rowsOf(file: S3Path, signal: AbortSignal) {
    const where = { Bucket: file.bucket, Key: file.key };
    const raw = Readable.from(readObject(this.#client, where, signal), { objectMode: false });
    const plain = decompressor(this.#statement.compression);
    const reading = pipeline(raw, plain, { signal });
    // Told below, when the pieces end early.
    reading.catch(() => {});
    const reader = this.#reader();
    try {
      for await (const chunk of plain) {
        const bytes: Buffer = chunk;
        yield reader.feed(bytes.toString("latin1"));
      }
      await reading;
    } catch (error) {
      signal.throwIfAborted();
      throw s3Error(error, urlOf(file), this.#queryId);
    } finally {
      plain.destroy();
    }
    yield reader.end();
  }

  #reader(): RowReader {
    const { format, ignoreHeader, ignoreBlankLines, conversion } = this.#statement;
    const lines = { ignoreHeader, ignoreBlankLines };
    if (format.kind === "csv") return new CsvReader({ ...format, ...lines });
    if (format.kind === "delimited") {
      return new DelimitedReader({ ...format, ...lines, nullAs: conversion.nullAs });
    }
    const names = this.#target.columns.map(({ name }) => name);
    return new JsonReader(
      this.#paths === undefined ? byName(names, format.ignoreCase) : byPaths(this.#paths),
    );
  }

  #failure(): SqlError {
    const name = this.#statement.table.at(-1) ?? "";
    return new SqlError(
      "XX000",
      `Load into table '${name}' failed.  Check 'stl_load_errors' system table for details.`,
    );
  }

  async #record(): Promise<void> {
    await this.#job.standIn.withDatabase(this.#job.database, (client) =>
      recordLoadErrors(client, {
        queryId: this.#queryId,
        pid: this.#job.backend.pid,
        tableOid: this.#target.oid,
        errors: this.#errors,
      }),
    );
  }
}
