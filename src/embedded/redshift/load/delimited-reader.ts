/** Redshift's default format: fields between delimiters, with ESCAPE and REMOVEQUOTES if asked for. */

import { afterLineBreak, RecordReader, RowError } from "./row.ts";

export class DelimitedReader extends RecordReader {
  readonly #delimiter: string;
  readonly #escape: boolean;
  readonly #removeQuotes: boolean;
  readonly #nullAs: string;
  readonly #ignoreBlankLines: boolean;

  constructor(options: {
    readonly delimiter: string;
    readonly escape: boolean;
    readonly removeQuotes: boolean;
    readonly nullAs: string;
    readonly ignoreHeader: number;
    readonly ignoreBlankLines: boolean;
  }) {
    super(options.ignoreHeader);
    this.#delimiter = options.delimiter;
    this.#escape = options.escape;
    this.#removeQuotes = options.removeQuotes;
    this.#nullAs = options.nullAs;
    this.#ignoreBlankLines = options.ignoreBlankLines;
  }

  protected override nextAfter(text: string, from: number, last: boolean): number {
    let end = text.indexOf("\n", from);
    while (this.#escape && end >= 0 && isEscaped(text, end, from))
      end = text.indexOf("\n", end + 1);
    return afterLineBreak(text, end, last);
  }

  protected override fieldsOf(record: string): readonly (string | null)[] | undefined {
    if (record === "" && this.#ignoreBlankLines) return undefined;
    if (!this.#escape && !this.#removeQuotes) return record.split(this.#delimiter);
    const fields: (string | null)[] = [];
    for (let at = 0; ; ) {
      const end = this.#endOfField(record, at);
      fields.push(this.#value(record.slice(at, end)));
      if (end >= record.length) return fields;
      at = end + 1;
    }
  }

  #endOfField(record: string, from: number): number {
    const first = record[from];
    let open = this.#removeQuotes && (first === '"' || first === "'") ? first : undefined;
    for (let at = open === undefined ? from : from + 1; at < record.length; at += 1) {
      const char = record[at];
      if (this.#escape && char === "\\") at += 1;
      else if (open !== undefined && char === open) open = undefined;
      else if (open === undefined && char === this.#delimiter) return at;
    }
    if (open !== undefined) throw new RowError(1214, "Delimiter not found");
    return record.length;
  }

  #value(field: string): string | null {
    // \N must not become N before it was recognised.
    if (field === this.#nullAs) return null;
    const quote = field[0];
    const quoted =
      this.#removeQuotes &&
      field.length > 1 &&
      (quote === '"' || quote === "'") &&
      field.endsWith(quote);
    const bare = quoted ? field.slice(1, -1) : field;
    // The character after a backslash is taken as it is: `\n` is the letter n.
    return this.#escape ? bare.replaceAll(/\\([\s\S])/g, "$1") : bare;
  }
}

/** Whether an odd number of backslashes stands before `at`. */
function isEscaped(text: string, at: number, from: number): boolean {
  let count = 0;
  while (at - 1 - count >= from && text[at - 1 - count] === "\\") count += 1;
  return count % 2 === 1;
}
