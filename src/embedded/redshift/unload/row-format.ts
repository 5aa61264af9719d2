/**
 * One row of Postgres's COPY text format as a line of an UNLOAD. As in COPY, a character is a byte, and a
 * value that looks like the NULL text is written like it: nobody can tell them apart afterwards.
 */

import type { UnloadStatement } from "../sql/unload-statement.ts";
import { utf8ToBytes } from "../load/row.ts";
import type { Partition } from "./partition.ts";
import type { ResultColumn } from "./result-columns.ts";

/** A line, its line break included, and the folder of its file. */
export type RowFormat = (row: Buffer) => { readonly line: string; readonly folder: string };

const UNESCAPED: Readonly<Record<string, string>> = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

export function rowFormat(statement: UnloadStatement, partition: Partition): RowFormat {
  const line = lineOf(statement, partition.columns);
  return (row) => {
    const fields = fieldsOf(row);
    return { line: `${line(partition.kept(fields))}\n`, folder: partition.folder(fields) };
  };
}

/** The line of names that HEADER asks for. */
export function headerLine({ format }: UnloadStatement, columns: readonly ResultColumn[]): string {
  const names = columns.map(({ name }) => utf8ToBytes(name));
  return `${names.join(format.kind === "json" ? "" : format.delimiter)}\n`;
}

/** Null is NULL. */
function fieldsOf(row: Buffer): readonly (string | null)[] {
  const text = row.toString("latin1", 0, row.length - 1);
  const fields = text.split("\t");
  if (!text.includes("\\")) return fields;
  return fields.map((field) => {
    if (field === "\\N") return null;
    if (!field.includes("\\")) return field;
    return field.replaceAll(/\\([\s\S])/g, (_, char: string) => UNESCAPED[char] ?? char);
  });
}

function lineOf(
  { format, nullAs }: UnloadStatement,
  columns: readonly ResultColumn[],
): (fields: readonly (string | null)[]) => string {
  const nullText = utf8ToBytes(nullAs);
  if (format.kind === "json") return jsonLine(columns);
  if (format.kind === "delimited") {
    return (fields) =>
      fields.map((field) => delimitedField(field ?? nullText, format)).join(format.delimiter);
  }
  const special = new RegExp(`["\\r\\n${escapedForClass(format.delimiter)}]`);
  const csvField = (field: string | null): string => {
    if (field === null) return nullText;
    return special.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
  };
  return (fields) => fields.map(csvField).join(format.delimiter);
}

/** ESCAPE comes after NULL AS, so `\N` is written `\\N`: that is Redshift's order, too. */
function delimitedField(
  field: string,
  {
    delimiter,
    escape,
    addQuotes,
  }: { readonly delimiter: string; readonly escape: boolean; readonly addQuotes: boolean },
): string {
  const special = new RegExp(`[\\\\\\r\\n"'${escapedForClass(delimiter)}]`, "g");
  const written = escape ? field.replaceAll(special, "\\$&") : field;
  return addQuotes ? `"${written}"` : written;
}

const escapedForClass = (char: string): string => char.replace(/[\\\]^-]/, "\\$&");

const BARE = new Set([
  "smallint",
  "integer",
  "bigint",
  "numeric",
  "real",
  "double precision",
  "super",
]);

function jsonLine(
  columns: readonly ResultColumn[],
): (fields: readonly (string | null)[]) => string {
  const keys = columns.map(({ name }) => utf8ToBytes(JSON.stringify(name)));
  const members = (field: string | null, type: string): string => {
    if (field === null) return "null";
    if (type === "boolean") return field === "t" ? "true" : "false";
    return BARE.has(type.replace(/\(.*/, "")) ? field : JSON.stringify(field);
  };
  return (fields) =>
    `{${fields.map((field, at) => `${keys[at] ?? ""}:${members(field, columns[at]?.type ?? "")}`).join(",")}}`;
}
