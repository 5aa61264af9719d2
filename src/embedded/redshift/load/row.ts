/**
 * Rows of a file. Text is kept one character for each byte (latin1) until a value needs its characters:
 * lengths are then lengths in bytes, as Redshift counts them, and no byte is ever changed by reading.
 */

export interface Row {
  /** Of the file, from 1: where the row begins. */
  readonly line: number;
  /** As it stands in the file. */
  readonly raw: string;
  /** Null is a NULL that the format itself can say (JSON); undefined is a field that is not there. */
  readonly fields: readonly (string | null | undefined)[];
  /** Why the row could not even be cut into fields. */
  readonly broken?: RowError | undefined;
}

/** Cuts a file that arrives in pieces into rows. */
export interface RowReader {
  feed(text: string): readonly Row[];
  /** What is left when the file has ended. */
  end(): readonly Row[];
}

/** A row, or one field of it, cannot be loaded: Redshift's code and reason. */
export class RowError extends Error {
  readonly code: number;

  constructor(code: number, reason: string) {
    super(reason);
    this.code = code;
  }
}

export const bytesToUtf8 = (bytes: string): string => Buffer.from(bytes, "latin1").toString("utf8");
export const utf8ToBytes = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

/** No row may be larger. */
const MAX_ROW_BYTES = 4 * 1024 * 1024;

/** Collects pieces into records; a format says where a record ends and what is in it. */
export abstract class RecordReader implements RowReader {
  #text = "";
  #line = 1;
  #skip: number;

  constructor(ignoreHeader: number) {
    this.#skip = ignoreHeader;
  }

  feed(text: string): readonly Row[] {
    this.#text += text;
    return this.#cut(false);
  }

  end(): readonly Row[] {
    return this.#text === "" ? [] : this.#cut(true);
  }

  /** Where the record after the one at `from` begins; -1 when this one is not all there. */
  protected abstract nextAfter(text: string, from: number, last: boolean): number;
  /** The record's fields; undefined for one that counts for nothing. */
  protected abstract fieldsOf(record: string): readonly (string | null | undefined)[] | undefined;

  #cut(last: boolean): readonly Row[] {
    const rows: Row[] = [];
    let from = 0;
    while (from < this.#text.length) {
      const next = this.#nextAfter(from, last);
      if (next < 0) break;
      const row = this.#row(this.#text.slice(from, next));
      if (row !== undefined) rows.push(row);
      from = next;
    }
    this.#text = this.#text.slice(from);
    if (this.#text.length > MAX_ROW_BYTES) {
      rows.push({
        line: this.#line,
        raw: this.#text.slice(0, 1024),
        fields: [],
        broken: new RowError(1216, "Row length exceeds the maximum of 4 MB"),
      });
      this.#text = "";
    }
    return rows;
  }

  #nextAfter(from: number, last: boolean): number {
    if (this.#skip === 0) return this.nextAfter(this.#text, from, last);
    return afterLineBreak(this.#text, this.#text.indexOf("\n", from), last);
  }

  #row(record: string): Row | undefined {
    const line = this.#line;
    this.#line += lineBreaksIn(record);
    if (this.#skip > 0) {
      this.#skip -= 1;
      return undefined;
    }
    const raw = record.replace(/\r?\n$|\r$/, "");
    try {
      const fields = this.fieldsOf(raw);
      return fields === undefined ? undefined : { line, raw, fields };
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      return { line, raw, fields: [], broken: error };
    }
  }
}

/** After a line break that was found; the end of a file is one, too. */
export function afterLineBreak(text: string, at: number, last: boolean): number {
  if (at >= 0) return at + 1;
  return last ? text.length : -1;
}

function lineBreaksIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}
