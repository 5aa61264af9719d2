/** CSV as Redshift reads it: whether a field was quoted makes no difference to what it means. */

import { afterLineBreak, RecordReader, RowError } from "./row.ts";

export class CsvReader extends RecordReader {
  readonly #delimiter: string;
  readonly #quote: string;
  readonly #ignoreBlankLines: boolean;

  constructor(options: {
    readonly delimiter: string;
    readonly quote: string;
    readonly ignoreHeader: number;
    readonly ignoreBlankLines: boolean;
  }) {
    super(options.ignoreHeader);
    this.#delimiter = options.delimiter;
    this.#quote = options.quote;
    this.#ignoreBlankLines = options.ignoreBlankLines;
  }

  protected override nextAfter(text: string, from: number, last: boolean): number {
    let end = text.indexOf("\n", from);
    // Most rows have no quotes; to look for one beyond the row would be to look through all that is left.
    if (end >= 0 && !text.slice(from, end).includes(this.#quote)) return end + 1;
    // A line break within quotes belongs to the field. Doubled quotes change nothing for the count.
    for (let at = text.indexOf(this.#quote, from), quoted = false; at >= 0; ) {
      if (end >= 0 && at > end) {
        if (!quoted) return end + 1;
        end = text.indexOf("\n", at);
      }
      quoted = !quoted;
      at = text.indexOf(this.#quote, at + 1);
      if (at < 0 && quoted) return last ? text.length : -1;
    }
    return afterLineBreak(text, end, last);
  }

  protected override fieldsOf(record: string): readonly string[] | undefined {
    if (record === "" && this.#ignoreBlankLines) return undefined;
    if (!record.includes(this.#quote)) return record.split(this.#delimiter);
    const fields: string[] = [];
    for (let at = 0; at <= record.length; ) {
      const [field, next] =
        record[at] === this.#quote ? this.#quoted(record, at) : this.#bare(record, at);
      fields.push(field);
      at = next + 1;
      if (next >= record.length) break;
    }
    return fields;
  }

  #bare(record: string, from: number): readonly [string, number] {
    const found = record.indexOf(this.#delimiter, from);
    const end = found < 0 ? record.length : found;
    return [record.slice(from, end), end];
  }

  #quoted(record: string, from: number): readonly [string, number] {
    let value = "";
    for (let at = from + 1; ; ) {
      const end = record.indexOf(this.#quote, at);
      if (end < 0) throw invalidQuotes();
      value += record.slice(at, end);
      if (record[end + 1] !== this.#quote) {
        if (end + 1 < record.length && record[end + 1] !== this.#delimiter) throw invalidQuotes();
        return [value, end + 1];
      }
      value += this.#quote;
      at = end + 2;
    }
  }
}

const invalidQuotes = (): RowError => new RowError(1214, "Invalid quote formatting for CSV");
