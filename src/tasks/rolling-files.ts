/**
 * Turns blocks of rows into compressed files of a bounded size, each a part of a dataset. A few lanes
 * compress and upload at once, on the thread pool; a block goes to the first lane that has room. Files
 * are cut between rows. The order of rows across files is not kept: a table has none.
 */
import { availableParallelism } from "node:os";
import { type Transform, Writable } from "node:stream";
import type { Block } from "../core/stores.ts";
import { type Compression, createCompressor, fileEnding } from "../targets/compression.ts";
import type { DatasetContents, Part } from "../targets/dataset-writer.ts";

type WrittenPart = DatasetContents["parts"][number];

export interface RollingFilesOptions {
  /** Uploads one file. */
  readonly part: (name: string, body: Transform) => Promise<Part>;
  readonly compression: Compression;
  /** Uncompressed bytes after which a file is closed. Default 256 MB. */
  readonly fileBytes?: number | undefined;
  /** Files at once. Default: one a core, at most 4. */
  readonly lanes?: number | undefined;
}

const FILE_BYTES = 256 * 1024 * 1024;
/** A further lane is worth its file only for so many bytes: a small table stays one file. */
const LANE_BYTES = 16 * 1024 * 1024;

interface Lane {
  file: OpenFile | undefined;
}

interface OpenFile {
  readonly compressor: Transform;
  rows: number;
  rawBytes: number;
}

export class RollingFiles extends Writable {
  /** Complete after the stream finished. */
  readonly parts: WrittenPart[] = [];
  readonly #options: RollingFilesOptions;
  readonly #fileBytes: number;
  readonly #lanes: readonly Lane[];
  readonly #uploads = new Set<Promise<void>>();
  #files = 0;
  #rawBytes = 0;
  #whenFree: (() => void) | undefined;

  constructor(options: RollingFilesOptions) {
    super({ objectMode: true, highWaterMark: 2 });
    this.#options = options;
    this.#fileBytes = options.fileBytes ?? FILE_BYTES;
    const lanes = options.lanes ?? Math.min(4, availableParallelism());
    this.#lanes = Array.from({ length: lanes }, () => ({ file: undefined }));
  }

  override _write(block: Block, _encoding: BufferEncoding, done: () => void): void {
    const lane = this.#freeLane();
    if (lane === undefined) {
      this.#whenFree = () => this._write(block, _encoding, done);
      return;
    }
    const file = (lane.file ??= this.#open(lane, block));
    file.rows += block.rows;
    file.rawBytes += block.buffer.length;
    this.#rawBytes += block.buffer.length;
    file.compressor.write(block.buffer, (error) => {
      // After a failure it may still be in use.
      if (error === null || error === undefined) block.release?.();
    });
    if (file.rawBytes >= this.#fileBytes) file.compressor.end();
    done();
  }

  override _final(done: (error?: Error | null) => void): void {
    for (const { file } of this.#lanes) file?.compressor.end();
    void this.#afterUploads(done);
  }

  /** Waits for the uploads: one that is broken off aborts itself in S3 first. */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    for (const { file } of this.#lanes) file?.compressor.destroy(error ?? undefined);
    void this.#afterUploads(() => done(error));
  }

  async #afterUploads(next: () => void): Promise<void> {
    await Promise.all(this.#uploads);
    next();
  }

  /** One without a file counts, unless it is too early for another file. */
  #freeLane(): Lane | undefined {
    return this.#lanes.find(({ file }, index) =>
      file === undefined
        ? this.#rawBytes >= index * LANE_BYTES
        : !file.compressor.writableNeedDrain && !file.compressor.writableEnded,
    );
  }

  /** Opens a file for rows like the block's. */
  #open(lane: Lane, { buffer, rows }: Block): OpenFile {
    const { compression } = this.#options;
    const compressor = createCompressor(compression, buffer.length / rows);
    const number = String(this.#files++).padStart(5, "0");
    const name = `part-${number}.csv${fileEnding(compression)}`;
    const file: OpenFile = { compressor, rows: 0, rawBytes: 0 };
    compressor.on("drain", () => this.#free());
    const upload = this.#options.part(name, compressor).then(
      (part) => {
        this.parts.push({ ...part, rows: file.rows, rawBytes: file.rawBytes });
      },
      (error: Error) => void this.destroy(error),
    );
    const ended = upload.finally(() => {
      this.#uploads.delete(ended);
      lane.file = undefined;
      this.#free();
    });
    this.#uploads.add(ended);
    return file;
  }

  #free(): void {
    const next = this.#whenFree;
    this.#whenFree = undefined;
    if (!this.destroyed) next?.();
  }
}
