/**
 * The catalog on disk: one JSON record a line, appended before the change is answered. Opening
 * replays and compacts it. A last line that a crash cut is dropped, because nobody was told of it;
 * a damaged line elsewhere is an error, never a silent loss. It does not fsync: it survives the
 * death of the process, not of the machine.
 */
import {
  closeSync,
  createReadStream,
  createWriteStream,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  writeSync,
} from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { messageOf, PermanentError } from "../../core/errors.ts";
import { Catalog, type CatalogRecord } from "./catalog.ts";

const FILE = "catalog.jsonl";
const HEADER = JSON.stringify({ format: "sluice-s3", version: 1 });

export class CatalogLog {
  readonly #fd: number;
  #length: number;
  #broken = false;

  private constructor(file: string) {
    this.#fd = openSync(file, "a");
    this.#length = fstatSync(this.#fd).size;
  }

  /** Replays the log of a folder and rewrites it without what is gone. */
  static async open(dir: string): Promise<{ log: CatalogLog; catalog: Catalog }> {
    const file = join(dir, FILE);
    const catalog = new Catalog();
    if (existsSync(file)) await replay(file, catalog);
    await pipeline(Readable.from(lines(catalog)), createWriteStream(`${file}.new`));
    await rename(`${file}.new`, file);
    return { log: new CatalogLog(file), catalog };
  }

  /** Appends a record; when it returns, the record outlives the process. */
  append(record: CatalogRecord): void {
    if (this.#broken)
      throw new Error("the catalog could not be written before; restart the server");
    const line = Buffer.from(`${JSON.stringify(record)}\n`);
    try {
      for (let written = 0; written < line.length; ) written += writeSync(this.#fd, line, written);
    } catch (cause) {
      this.#undo();
      throw new Error(`cannot write the catalog: ${messageOf(cause)}`, { cause });
    }
    this.#length += line.length;
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** Half a line (a full disk) must not run into the next record. */
  #undo(): void {
    try {
      ftruncateSync(this.#fd, this.#length);
    } catch {
      this.#broken = true;
    }
  }
}

async function replay(file: string, catalog: Catalog): Promise<void> {
  let number = 0;
  let damaged: number | undefined;
  const input = createInterface({
    input: createReadStream(file),
    crlfDelay: Number.POSITIVE_INFINITY,
  });
  for await (const line of input) {
    number += 1;
    if (damaged !== undefined) throw damage(file, damaged);
    const parsed = parseLine(line);
    if (parsed === undefined) damaged = number;
    else if (number > 1) catalog.apply(parsed);
    else if (line !== HEADER) throw damage(file, number);
  }
}

/** Our own line, or undefined if it is cut. */
function parseLine(line: string): CatalogRecord | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function* lines(catalog: Catalog): Generator<string> {
  yield `${HEADER}\n`;
  for (const record of catalog.records()) yield `${JSON.stringify(record)}\n`;
}

function damage(file: string, line: number): PermanentError {
  return new PermanentError(
    "S3_CATALOG_DAMAGED",
    `${file} is damaged at line ${line}. It is development data: remove its folder to start empty.`,
  );
}
