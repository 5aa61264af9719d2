/**
 * PARTITION BY: rows go to folders that are named after the values of some columns, as Hive names them.
 * The columns are left out of the files, unless INCLUDE keeps them.
 */

import { bytesToUtf8 } from "../load/row.ts";
import type { UnloadStatement } from "../sql/unload-statement.ts";
import { SqlError } from "../sql-error.ts";
import type { ResultColumn } from "./result-columns.ts";

type Fields = readonly (string | null)[];

export interface Partition {
  /** The columns that the files have. */
  readonly columns: readonly ResultColumn[];
  /** Their values, of those of a row. */
  readonly kept: (fields: Fields) => Fields;
  /** Where a row belongs, with a slash at its end; "" without PARTITION BY. */
  readonly folder: (fields: Fields) => string;
}

/** What Hive calls the folder of NULL. */
const NULL_FOLDER = "__HIVE_DEFAULT_PARTITION__";
const ESCAPED = /["#%'*/:=?\\{}[\]^\p{Cc}]/gu;

export function partitionOf(
  { partition }: UnloadStatement,
  columns: readonly ResultColumn[],
): Partition {
  if (partition === undefined) return { columns, kept: (fields) => fields, folder: () => "" };
  const places = partition.columns.map((name) => {
    const place = columns.findIndex((column) => column.name === name);
    if (place >= 0) return place;
    throw new SqlError("42703", `PARTITION BY column "${name}" is not in the SELECT of UNLOAD`);
  });
  const isKept = (_: unknown, place: number) => partition.include || !places.includes(place);
  const kept = columns.filter(isKept);
  if (kept.length === 0) {
    throw new SqlError("42601", "PARTITION BY leaves no column for the files: add INCLUDE");
  }
  const folderOf = (fields: Fields, place: number) =>
    `${columns[place]?.name ?? ""}=${valueOf(fields[place])}/`;
  return {
    columns: kept,
    kept: (fields) => fields.filter(isKept),
    folder: (fields) => places.map((place) => folderOf(fields, place)).join(""),
  };
}

/** Characters that mean something in a path are written as `%2F`. */
function valueOf(field: string | null | undefined): string {
  if (field === null || field === undefined) return NULL_FOLDER;
  return bytesToUtf8(field).replaceAll(ESCAPED, (char) => {
    return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  });
}
