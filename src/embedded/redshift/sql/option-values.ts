/** Values of options that COPY and UNLOAD share. */

import { SqlError } from "../sql-error.ts";
import type { Cursor } from "./cursor.ts";

/** Each option may be given once. */
export class OnceOnly {
  readonly #seen = new Set<string>();

  note(option: string): void {
    if (this.#seen.has(option)) {
      throw new SqlError("42601", `conflicting or redundant options: ${option}`);
    }
    this.#seen.add(option);
  }

  has(option: string): boolean {
    return this.#seen.has(option);
  }

  /** Refuses options that exclude each other. */
  exclude(one: string, ...others: readonly string[]): void {
    const other = others.find((each) => this.#seen.has(each));
    if (this.#seen.has(one) && other !== undefined) {
      throw new SqlError("42601", `${one} is not compatible with ${other}`);
    }
  }
}

/** `[AS] 'text'` */
export function stringOption(cursor: Cursor): string {
  cursor.takeWords("AS");
  return cursor.string();
}

/** `[AS] 7` */
export function integerOption(cursor: Cursor): number {
  cursor.takeWords("AS");
  return cursor.integer();
}

/** One ASCII character; the octal form '\\001' is already one. */
export function characterOption(cursor: Cursor, option: string): string {
  const value = stringOption(cursor);
  if (value.length !== 1 || value.charCodeAt(0) > 127 || value === "\n" || value === "\r") {
    throw new SqlError("42601", `${option} must be a single ASCII character`);
  }
  return value;
}

/** Where the cluster's data lies does not matter to one endpoint; it must be a region all the same. */
export function regionOption(cursor: Cursor): void {
  const region = stringOption(cursor);
  if (!/^[a-z]{2}(-[a-z]+)+-\d$/.test(region)) {
    throw new SqlError("42601", `Invalid region: ${region}`);
  }
}

/** `[ON | OFF | TRUE | FALSE]`, on when nothing is said. */
export function switchOption(cursor: Cursor): boolean {
  const said = cursor.takeOneOf("ON", "OFF", "TRUE", "FALSE");
  return said !== "OFF" && said !== "FALSE";
}

export interface S3Path {
  readonly bucket: string;
  readonly key: string;
}

export function s3Path(url: string): S3Path {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/(.*)$/s.exec(url);
  if (match === null) {
    throw new SqlError("42601", `The S3 path ${url} is not valid: write s3://bucket/prefix`);
  }
  return { bucket: match[1] ?? "", key: match[2] ?? "" };
}
