/**
 * The bytes of objects: one file per body, written once under a random name and never changed. A
 * blob that no record refers to is garbage, so a body cut in the middle needs no undoing: it is
 * dropped at once, or swept at the next start. A blob in use by a reader is dropped afterwards.
 */
import { randomUUID } from "node:crypto";
import { createReadStream, createWriteStream, type WriteStream } from "node:fs";
import { mkdir, readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Blob } from "./catalog.ts";

const READ_BYTES = 512 * 1024;
const WRITE_BYTES = 1024 * 1024;

/** A span of an object's bytes; `end` is exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export class Blobs {
  readonly #dir: string;
  /** How many readers use a blob. */
  readonly #readers = new Map<string, number>();
  readonly #doomed = new Set<string>();

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** Opens the folder and removes every file but the live ones. */
  static async open(dir: string, live: Iterable<Blob>): Promise<Blobs> {
    await mkdir(dir, { recursive: true });
    const names = new Set(Array.from(live, (blob) => blob.id));
    const strays = (await readdir(dir)).filter((name) => !names.has(name));
    for (const name of strays) await unlink(join(dir, name));
    return new Blobs(dir);
  }

  /** A new file to write. */
  create(): { readonly id: string; readonly stream: WriteStream } {
    const id = randomUUID();
    const stream = createWriteStream(join(this.#dir, id), {
      highWaterMark: WRITE_BYTES,
      flags: "wx",
    });
    return { id, stream };
  }

  /**
   * Reads a span across blobs. The blobs stay on disk from this call on until `release`, also if
   * their object is overwritten meanwhile.
   */
  open(blobs: readonly Blob[], span: Span): { chunks(): AsyncGenerator<Buffer>; release(): void } {
    for (const { id } of blobs) this.#readers.set(id, (this.#readers.get(id) ?? 0) + 1);
    return {
      chunks: () => this.#read(blobs, span),
      release: () => {
        for (const { id } of blobs) this.#release(id);
      },
    };
  }

  /** Removes blobs, now or when their last reader is done. */
  async drop(blobs: readonly Blob[]): Promise<void> {
    for (const { id } of blobs) {
      if (this.#readers.has(id)) this.#doomed.add(id);
      else await this.#remove(id);
    }
  }

  async *#read(blobs: readonly Blob[], { start, end }: Span): AsyncGenerator<Buffer> {
    let offset = 0;
    for (const { id, size } of blobs) {
      const from = Math.max(start - offset, 0);
      const to = Math.min(end - offset, size);
      offset += size;
      if (from >= to) continue;
      const file = join(this.#dir, id);
      yield* createReadStream(file, { start: from, end: to - 1, highWaterMark: READ_BYTES });
    }
  }

  #release(id: string): void {
    const readers = (this.#readers.get(id) ?? 1) - 1;
    if (readers > 0) {
      this.#readers.set(id, readers);
      return;
    }
    this.#readers.delete(id);
    if (this.#doomed.delete(id)) void this.#remove(id);
  }

  /** What cannot be removed now is swept at the next start. */
  async #remove(id: string): Promise<void> {
    await unlink(join(this.#dir, id)).catch(() => undefined);
  }
}
