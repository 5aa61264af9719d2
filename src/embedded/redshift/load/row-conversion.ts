/** A row of a file as a line of Postgres's COPY text format, or why it cannot be loaded. */

import type { CopyStatement } from "../sql/copy-statement.ts";
import { type FieldValue, fieldValue, isCharacter } from "./field-value.ts";
import { type Row, RowError } from "./row.ts";
import type { Column } from "./target-table.ts";

export interface Rejected {
  readonly column: Column | undefined;
  readonly value: string;
  readonly error: RowError;
}

const SPECIAL = /[\\\t\n\r]/;
const ESCAPED: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\t": "\\t",
  "\n": "\\n",
  "\r": "\\r",
};

export class RowConversion {
  readonly #columns: readonly Column[];
  readonly #values: readonly FieldValue[];
  readonly #fillRecord: boolean;
  readonly #byName: boolean;

  constructor(columns: readonly Column[], { conversion, fillRecord, format }: CopyStatement) {
    this.#columns = columns;
    this.#values = columns.map((column) => fieldValue(column, conversion));
    this.#fillRecord = fillRecord;
    this.#byName = format.kind === "json";
  }

  convert(row: Row): string | Rejected {
    if (row.broken !== undefined) return { column: undefined, value: "", error: row.broken };
    const problem = this.#byName ? undefined : this.#countProblem(row);
    if (problem !== undefined) return problem;
    let line = "";
    for (const [index, column] of this.#columns.entries()) {
      const field = row.fields[index];
      try {
        const value = this.#valueAt(index, column, field);
        if (value === null && column.notNull) {
          throw new RowError(1213, "Missing data for not-null field");
        }
        if (index > 0) line += "\t";
        line += value === null ? "\\N" : escaped(value);
      } catch (error) {
        if (!(error instanceof RowError)) throw error;
        return { column, value: field ?? "", error };
      }
    }
    return `${line}\n`;
  }

  #valueAt(index: number, column: Column, field: string | null | undefined): string | null {
    if (field === null) return null;
    // A field that is not there: NULL in JSON; in a filled record, a string is empty.
    if (field === undefined) return !this.#byName && isCharacter(column) ? "" : null;
    return this.#values[index]?.(field) ?? null;
  }

  #countProblem(row: Row): Rejected | undefined {
    const found = row.fields.length;
    const wanted = this.#columns.length;
    if (found === wanted && row.raw !== "") return undefined;
    const reject = (code: number, reason: string, column?: Column): Rejected => ({
      column,
      value: "",
      error: new RowError(code, reason),
    });
    if (row.raw === "" && !this.#fillRecord) return reject(1211, "Input line contained no data");
    if (found > wanted) return reject(1202, "Extra column(s) found");
    if (found === wanted || this.#fillRecord) return undefined;
    return found === 1
      ? reject(1214, "Delimiter not found", this.#columns[0])
      : reject(1203, "Input data had fewer columns than were defined in the DDL");
  }
}

function escaped(value: string): string {
  return SPECIAL.test(value)
    ? value.replaceAll(/[\\\t\n\r]/g, (char) => ESCAPED[char] ?? char)
    : value;
}
