/** UNLOAD, parsed. As in COPY, an option is carried out or refused, never ignored. */

import { notCarriedOut, SqlError, unsupported } from "../sql-error.ts";
import type { Credentials } from "./credentials.ts";
import type { Cursor } from "./cursor.ts";
import {
  characterOption,
  regionOption,
  type S3Path,
  s3Path,
  stringOption,
  switchOption,
} from "./option-values.ts";
import { S3Options } from "./s3-options.ts";
import { isSymbol, isWord, statementsOf, type Token, tokenize } from "./token.ts";

export type UnloadFormat =
  | { readonly kind: "csv"; readonly delimiter: string }
  | {
      readonly kind: "delimited";
      readonly delimiter: string;
      readonly escape: boolean;
      readonly addQuotes: boolean;
    }
  | { readonly kind: "json" };

export interface UnloadStatement {
  /** As Postgres is given it. */
  readonly select: string;
  readonly to: S3Path;
  readonly credentials: Credentials;
  readonly format: UnloadFormat;
  readonly nullAs: string;
  readonly header: boolean;
  readonly compression: "gzip" | "zstd" | undefined;
  readonly manifest: "none" | "plain" | "verbose";
  readonly parallel: boolean;
  readonly maxFileBytes: number;
  readonly overwrite: "refuse" | "allow" | "clean";
  readonly extension: string | undefined;
  readonly partition:
    | { readonly columns: readonly string[]; readonly include: boolean }
    | undefined;
}

const MB = 1024 * 1024;
const REFUSED = [
  "PARQUET",
  "FIXEDWIDTH",
  "BZIP2",
  "ENCRYPTED",
  "KMS_KEY_ID",
  "MASTER_SYMMETRIC_KEY",
  "ROWGROUPSIZE",
] as const;
const FLAGS = [
  "HEADER",
  "ADDQUOTES",
  "ESCAPE",
  "GZIP",
  "ZSTD",
  "ALLOWOVERWRITE",
  "CLEANPATH",
] as const;
const VALUES = [
  "DELIMITER",
  "NULL",
  "MANIFEST",
  "PARALLEL",
  "MAXFILESIZE",
  "REGION",
  "EXTENSION",
  "PARTITION",
] as const;

/** The part of the statement after UNLOAD. `rewrite` makes the query one for Postgres. */
export function parseUnload(
  cursor: Cursor,
  rewrite: (tokens: readonly Token[], sql: string) => string,
): UnloadStatement {
  cursor.expectSymbol("(");
  const query = cursor.string();
  cursor.expectSymbol(")");
  cursor.expectWord("TO");
  const to = s3Path(cursor.string());
  const options = new Options(cursor);
  options.take();
  return { select: rewrite(selectOf(query), query), to, ...options.finish() };
}

function selectOf(query: string): readonly Token[] {
  const [select = [], ...more] = statementsOf(tokenize(query));
  if (more.length > 0 || !isWord(select[0], "SELECT", "WITH")) {
    throw new SqlError("42601", "UNLOAD takes one SELECT");
  }
  let depth = 0;
  for (const token of select) {
    if (isSymbol(token, "(")) depth += 1;
    if (isSymbol(token, ")")) depth -= 1;
    if (depth === 0 && isWord(token, "LIMIT")) {
      throw unsupported("a LIMIT clause in the outer SELECT of UNLOAD");
    }
  }
  return select;
}

class Options extends S3Options {
  #format: UnloadFormat["kind"] = "delimited";
  #delimiter: string | undefined;
  #nullAs = "";
  #manifest: UnloadStatement["manifest"] = "none";
  #parallel = true;
  #maxFileBytes = 6.2 * 1024 * MB;
  #extension: string | undefined;
  #partition: UnloadStatement["partition"];

  protected override takeOption(): void {
    const { cursor } = this;
    if (cursor.takeWords("FORMAT")) {
      cursor.takeWords("AS");
      if (!isWord(cursor.peek(), "CSV", "JSON", "PARQUET")) throw cursor.error();
    }
    const refused = cursor.takeOneOf(...REFUSED);
    if (refused !== undefined) throw notCarriedOut(`UNLOAD with ${refused}`);
    const format = cursor.takeOneOf("CSV", "JSON");
    if (format !== undefined) {
      this.once.note("FORMAT");
      this.#format = format === "CSV" ? "csv" : "json";
      return;
    }
    const flag = cursor.takeOneOf(...FLAGS);
    if (flag !== undefined) return this.once.note(flag);
    this.#takeValue();
  }

  #takeValue(): void {
    const { cursor } = this;
    const option = cursor.takeOneOf(...VALUES);
    if (option === undefined) throw cursor.error();
    this.once.note(option);
    switch (option) {
      case "DELIMITER":
        this.#delimiter = characterOption(cursor, option);
        break;
      case "NULL":
        this.#nullAs = stringOption(cursor);
        break;
      case "MANIFEST":
        this.#manifest = cursor.takeWords("VERBOSE") ? "verbose" : "plain";
        break;
      case "PARALLEL":
        this.#parallel = switchOption(cursor);
        break;
      case "MAXFILESIZE":
        this.#maxFileBytes = fileSize(cursor);
        break;
      case "REGION":
        regionOption(cursor);
        break;
      case "EXTENSION":
        this.#extension = stringOption(cursor);
        break;
      case "PARTITION":
        cursor.expectWord("BY");
        this.#partition = { columns: cursor.nameList(), include: cursor.takeWords("INCLUDE") };
        break;
    }
  }

  finish(): Omit<UnloadStatement, "select" | "to"> {
    const { once } = this;
    const access = this.access();
    once.exclude("ALLOWOVERWRITE", "CLEANPATH");
    const excluded = {
      csv: ["ADDQUOTES", "ESCAPE"],
      json: ["DELIMITER", "HEADER", "ADDQUOTES", "ESCAPE", "NULL"],
      delimited: [],
    }[this.#format].find((option) => once.has(option));
    if (excluded !== undefined) {
      throw new SqlError(
        "42601",
        `${excluded} is not compatible with ${this.#format.toUpperCase()}`,
      );
    }
    return {
      ...access,
      format: this.#formatOf(),
      nullAs: this.#nullAs,
      header: once.has("HEADER"),
      manifest: this.#manifest,
      parallel: this.#parallel,
      maxFileBytes: this.#maxFileBytes,
      overwrite: once.has("CLEANPATH") ? "clean" : once.has("ALLOWOVERWRITE") ? "allow" : "refuse",
      extension: this.#extension,
      partition: this.#partition,
    };
  }

  #formatOf(): UnloadFormat {
    if (this.#format === "json") return { kind: "json" };
    if (this.#format === "csv") return { kind: "csv", delimiter: this.#delimiter ?? "," };
    return {
      kind: "delimited",
      delimiter: this.#delimiter ?? "|",
      escape: this.once.has("ESCAPE"),
      addQuotes: this.once.has("ADDQUOTES"),
    };
  }
}

/** `[AS] 5 [MB | GB]`, from 5 MB to 6.2 GB */
function fileSize(cursor: Cursor): number {
  cursor.takeWords("AS");
  const token = cursor.take();
  const size = Number(token.value);
  if (token.kind !== "number" && token.kind !== "string") throw cursor.error();
  const bytes = size * (cursor.takeOneOf("MB", "GB") === "GB" ? 1024 * MB : MB);
  if (!(bytes >= 5 * MB && bytes <= 6.2 * 1024 * MB)) {
    throw new SqlError("42601", "MAXFILESIZE must be between 5 MB and 6.2 GB");
  }
  return bytes;
}
