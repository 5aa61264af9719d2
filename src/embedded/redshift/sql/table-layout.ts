/** How Redshift would lay a table out: checked, kept for the catalog, and without any effect here. */

import { SqlError } from "../sql-error.ts";
import type { Cursor } from "./cursor.ts";

export interface TableLayout {
  distStyle: "AUTO" | "EVEN" | "ALL" | "KEY" | undefined;
  distKey: string | undefined;
  sortStyle: "COMPOUND" | "INTERLEAVED" | undefined;
  sortKeys: readonly string[];
  readonly encodings: Record<string, string>;
  /** The table whose layout it takes over. */
  like: string | undefined;
}

export function emptyLayout(): TableLayout {
  return {
    distStyle: undefined,
    distKey: undefined,
    sortStyle: undefined,
    sortKeys: [],
    encodings: {},
    like: undefined,
  };
}

const ENCODINGS = [
  "AUTO",
  "AZ64",
  "BYTEDICT",
  "DELTA",
  "DELTA32K",
  "LZO",
  "MOSTLY8",
  "MOSTLY16",
  "MOSTLY32",
  "RAW",
  "RUNLENGTH",
  "TEXT255",
  "TEXT32K",
  "ZSTD",
] as const;

export function takeEncoding(cursor: Cursor): string {
  const encoding = cursor.takeOneOf(...ENCODINGS);
  if (encoding === undefined) throw cursor.error();
  return encoding.toLowerCase();
}

export function setDistKey(layout: TableLayout, column: string): void {
  if (layout.distKey !== undefined) {
    throw new SqlError("42601", "only one column may be the DISTKEY of a table");
  }
  layout.distKey = column;
}

/** Takes one table attribute if one comes next. */
export function takeTableAttribute(cursor: Cursor, layout: TableLayout): boolean {
  if (cursor.takeWords("BACKUP")) {
    cursor.expectWord("YES", "NO");
    return true;
  }
  if (cursor.takeWords("DISTSTYLE")) {
    const style = cursor.takeOneOf("AUTO", "EVEN", "KEY", "ALL");
    if (style === undefined) throw cursor.error();
    layout.distStyle = style;
    return true;
  }
  if (cursor.takeWords("DISTKEY")) {
    const [column = "", ...more] = cursor.nameList();
    if (more.length > 0) throw new SqlError("42601", "DISTKEY takes one column");
    setDistKey(layout, column);
    return true;
  }
  if (cursor.takeWords("ENCODE", "AUTO")) return true;
  const style = cursor.takeOneOf("COMPOUND", "INTERLEAVED");
  if (style !== undefined && cursor.peek()?.value !== "SORTKEY") throw cursor.error();
  if (!cursor.takeWords("SORTKEY")) return false;
  if (layout.sortKeys.length > 0) throw new SqlError("42601", "SORTKEY is given twice");
  if (style === undefined && cursor.takeWords("AUTO")) return true;
  layout.sortKeys = cursor.nameList();
  layout.sortStyle = style ?? "COMPOUND";
  return true;
}

/** What can only be said when the whole statement is known. */
export function checkLayout(layout: TableLayout): void {
  const { distStyle, distKey, sortStyle, sortKeys } = layout;
  if (distStyle === "KEY" && distKey === undefined) {
    throw new SqlError("42601", "DISTSTYLE KEY needs a DISTKEY column");
  }
  if (distKey !== undefined && distStyle !== undefined && distStyle !== "KEY") {
    throw new SqlError("42601", `DISTKEY is not compatible with DISTSTYLE ${distStyle}`);
  }
  const most = sortStyle === "INTERLEAVED" ? 8 : 400;
  if (sortKeys.length > most) {
    throw new SqlError("42601", `a ${sortStyle} SORTKEY has at most ${most} columns`);
  }
}
