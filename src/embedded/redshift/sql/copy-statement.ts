/** COPY from S3, parsed. What its options are is in `copy-options`. */

import { CopyOptions } from "./copy-options.ts";
import type { Credentials } from "./credentials.ts";
import type { Cursor } from "./cursor.ts";
import { type S3Path, s3Path } from "./option-values.ts";

export type CopyFormat =
  | { readonly kind: "csv"; readonly delimiter: string; readonly quote: string }
  | {
      readonly kind: "delimited";
      readonly delimiter: string;
      readonly escape: boolean;
      readonly removeQuotes: boolean;
    }
  | { readonly kind: "json"; readonly ignoreCase: boolean; readonly paths: S3Path | undefined };

/** How a field's text becomes a value. */
export interface Conversion {
  readonly nullAs: string;
  readonly emptyAsNull: boolean;
  readonly blanksAsNull: boolean;
  readonly trimBlanks: boolean;
  readonly truncateColumns: boolean;
  readonly acceptAnyDate: boolean;
  readonly roundDecimals: boolean;
  /** What stands in for each byte that is not UTF-8; without it such bytes are errors. */
  readonly replaceInvalid: string | undefined;
  readonly dateFormat: "default" | "auto";
  readonly timeFormat: "default" | "auto" | "epochsecs" | "epochmillisecs";
}

export interface CopyStatement {
  readonly table: readonly string[];
  readonly columns: readonly string[] | undefined;
  readonly from: S3Path;
  readonly credentials: Credentials;
  readonly format: CopyFormat;
  readonly conversion: Conversion;
  readonly compression: "gzip" | "zstd" | undefined;
  readonly manifest: boolean;
  readonly ignoreHeader: number;
  readonly ignoreBlankLines: boolean;
  readonly fillRecord: boolean;
  readonly explicitIds: boolean;
  /** The load fails when so many rows are bad. */
  readonly maxErrors: number;
  readonly noLoad: boolean;
}

/** The part of the statement after COPY. */
export function parseCopy(cursor: Cursor): CopyStatement {
  const table = cursor.qualifiedName();
  const columns = cursor.peek()?.value === "(" ? cursor.nameList() : undefined;
  cursor.expectWord("FROM");
  const from = s3Path(cursor.string());
  const options = new CopyOptions(cursor);
  options.take();
  return { table, columns, from, ...options.finish() };
}
