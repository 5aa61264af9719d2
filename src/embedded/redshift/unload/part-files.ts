/**
 * The files of an UNLOAD: one after the other on each slice, cut between rows when they grow too large.
 * Each is uploaded while it is written; a file that is not finished never appears in S3.
 */

import type { S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import type { Duplex } from "node:stream";
import { PassThrough, pipeline } from "node:stream";
import { compressor } from "../compression.ts";
import type { UnloadStatement } from "../sql/unload-statement.ts";

export interface WrittenFile {
  readonly url: string;
  readonly rows: number;
  readonly bytes: number;
}

interface OpenFile {
  readonly url: string;
  readonly input: Duplex;
  readonly uploaded: Promise<unknown>;
  readonly sent: () => number;
  /** Rows not yet given to the upload. */
  text: string;
  rows: number;
  bytes: number;
}

interface Slice {
  readonly number: number;
  readonly folder: string;
  part: number;
  file: OpenFile | undefined;
}

/** The slices' files of one folder. */
interface Folder {
  readonly slices: readonly Slice[];
  turn: number;
}

/** Bytes of rows that are passed on at once: one row each is ten times slower. */
const BATCH = 64 * 1024;

export class PartFiles {
  readonly written: WrittenFile[] = [];
  readonly #client: S3Client;
  readonly #statement: UnloadStatement;
  readonly #header: string;
  readonly #count: number;
  readonly #folders = new Map<string, Folder>();
  readonly #open = new Set<OpenFile>();

  constructor(client: S3Client, statement: UnloadStatement, slices: number, header: string) {
    this.#client = client;
    this.#statement = statement;
    this.#header = header;
    this.#count = statement.parallel ? slices : 1;
  }

  /** Gives the rows to the slices in turn. What it returns, if anything, resolves when there is room. */
  write(line: string, name: string): Promise<void> | undefined {
    const folder = this.#folder(name);
    const slice = folder.slices[folder.turn];
    if (slice === undefined) return undefined;
    folder.turn = (folder.turn + 1) % folder.slices.length;
    if (slice.file !== undefined && slice.file.bytes + line.length > this.#statement.maxFileBytes) {
      return this.#close(slice).then(() => this.#add(slice, line));
    }
    return this.#add(slice, line);
  }

  #folder(name: string): Folder {
    const known = this.#folders.get(name);
    if (known !== undefined) return known;
    const slices = Array.from({ length: this.#count }, (_, number) => ({
      number,
      folder: name,
      part: 0,
      file: undefined,
    }));
    const folder: Folder = { slices, turn: 0 };
    this.#folders.set(name, folder);
    return folder;
  }

  #add(slice: Slice, line: string): Promise<void> | undefined {
    slice.file ??= this.#begin(slice);
    const { file } = slice;
    file.rows += 1;
    file.bytes += line.length;
    file.text += line;
    return file.text.length < BATCH ? undefined : flush(file);
  }

  /** Ends every file and waits until it is in S3. */
  async finish(): Promise<void> {
    const { format, partition } = this.#statement;
    if (this.#folders.size === 0 && format.kind !== "json" && partition === undefined) {
      // Without rows there is one empty file, as Redshift writes for text.
      const [first] = this.#folder("").slices;
      if (first !== undefined) first.file = this.#begin(first);
    }
    for (const { slices } of this.#folders.values()) {
      for (const slice of slices) await this.#close(slice);
    }
  }

  /** Nothing of what is under way gets to S3. What was finished before stays: as in Redshift. */
  async abandon(reason: Error): Promise<void> {
    for (const { input } of this.#open) input.destroy(reason);
    await Promise.allSettled([...this.#open].map(({ uploaded }) => uploaded));
  }

  #begin(slice: Slice): OpenFile {
    const { to } = this.#statement;
    const key = `${to.key}${slice.folder}${this.#nameOf(slice)}`;
    const input = new PassThrough({ highWaterMark: 1024 * 1024 });
    const body = new PassThrough();
    pipeline(input, compressor(this.#statement.compression), body, () => {
      // The upload of the body fails with the same error.
    });
    let sent = 0;
    body.on("data", (chunk: Buffer) => {
      sent += chunk.length;
    });
    body.pause();
    const uploaded = new Upload({
      client: this.#client,
      params: { Bucket: to.bucket, Key: key, Body: body },
    }).done();
    // Awaited when the file is closed; a failure before that stops the writer.
    uploaded.catch((error: unknown) => input.destroy(error instanceof Error ? error : undefined));
    input.on("error", () => {});
    const file: OpenFile = {
      url: `s3://${to.bucket}/${key}`,
      input,
      uploaded,
      sent: () => sent,
      text: this.#header,
      rows: 0,
      bytes: this.#header.length,
    };
    this.#open.add(file);
    return file;
  }

  async #close(slice: Slice): Promise<void> {
    const { file } = slice;
    if (file === undefined) return;
    slice.file = undefined;
    slice.part += 1;
    await flush(file);
    file.input.end();
    await file.uploaded;
    this.#open.delete(file);
    this.written.push({ url: file.url, rows: file.rows, bytes: file.sent() });
  }

  #nameOf({ number, part }: Slice): string {
    const { parallel, extension, compression } = this.#statement;
    const name = parallel
      ? `${String(number).padStart(4, "0")}_part_${String(part).padStart(2, "0")}`
      : String(part).padStart(3, "0");
    if (extension !== undefined) return `${name}.${extension}`;
    if (compression === undefined) return name;
    return `${name}.${compression === "gzip" ? "gz" : "zst"}`;
  }
}

/** Passes the rows on; resolves when there is room for more. Throws what the upload failed with. */
async function flush(file: OpenFile): Promise<void> {
  const bytes = Buffer.from(file.text, "latin1");
  file.text = "";
  if (file.input.destroyed) await file.uploaded;
  if (file.input.write(bytes)) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      file.input.off("drain", done).off("close", done);
      resolve();
    };
    file.input.once("drain", done).once("close", done);
  });
  if (file.input.destroyed) await file.uploaded;
}
