/**
 * The options of COPY. Every one of Redshift's is carried out, is without effect on the data (and
 * checked), or is refused: none is ignored.
 */

import { notCarriedOut, SqlError } from "../sql-error.ts";
import type { Conversion, CopyFormat, CopyStatement } from "./copy-statement.ts";
import {
  characterOption,
  integerOption,
  regionOption,
  type S3Path,
  s3Path,
  stringOption,
  switchOption,
} from "./option-values.ts";
import { S3Options } from "./s3-options.ts";

const REFUSED = [
  "PARQUET",
  "ORC",
  "AVRO",
  "SHAPEFILE",
  "FIXEDWIDTH",
  "BZIP2",
  "LZOP",
  "ENCRYPTED",
  "MASTER_SYMMETRIC_KEY",
  "SSH",
  "READRATIO",
  "SERIALIZETOJSON",
] as const;

const FLAGS = [
  "MANIFEST",
  "EMPTYASNULL",
  "BLANKSASNULL",
  "TRIMBLANKS",
  "TRUNCATECOLUMNS",
  "ACCEPTANYDATE",
  "ROUNDEC",
  "ESCAPE",
  "REMOVEQUOTES",
  "IGNOREBLANKLINES",
  "FILLRECORD",
  "EXPLICIT_IDS",
  "NOLOAD",
  "IGNOREALLERRORS",
  "GZIP",
  "ZSTD",
] as const;

const VALUES = [
  "DELIMITER",
  "QUOTE",
  "NULL",
  "IGNOREHEADER",
  "MAXERROR",
  "ACCEPTINVCHARS",
] as const;

export class CopyOptions extends S3Options {
  #format: "csv" | "delimited" | "json" = "delimited";
  #ignoreCase = false;
  #jsonPaths: S3Path | undefined;
  #delimiter: string | undefined;
  #quote = '"';
  #nullAs = "\\N";
  #replaceInvalid: string | undefined;
  #dateFormat: Conversion["dateFormat"] = "default";
  #timeFormat: Conversion["timeFormat"] = "default";
  #ignoreHeader = 0;
  #maxErrors = 1;

  protected override takeOption(): void {
    const { cursor } = this;
    const refused = cursor.takeOneOf(...REFUSED);
    if (refused !== undefined) throw notCarriedOut(`COPY with ${refused}`);
    const flag = cursor.takeOneOf(...FLAGS);
    if (flag !== undefined) return this.once.note(flag);
    if (this.#takeFormat() || this.#takeValue() || this.#takeTimes()) return;
    this.#takeWithoutEffect();
  }

  #takeFormat(): boolean {
    const { cursor } = this;
    if (cursor.takeWords("FORMAT")) {
      cursor.takeWords("AS");
      const refused = cursor.takeOneOf(...REFUSED);
      if (refused !== undefined) throw notCarriedOut(`COPY with FORMAT ${refused}`);
      if (cursor.peek()?.value !== "CSV" && cursor.peek()?.value !== "JSON") throw cursor.error();
    }
    const format = cursor.takeOneOf("CSV", "JSON");
    if (format === undefined) return false;
    this.once.note("FORMAT");
    if (format === "CSV") {
      this.#format = "csv";
      return true;
    }
    this.#format = "json";
    const how = stringOption(cursor);
    if (how.startsWith("s3://")) {
      this.#jsonPaths = s3Path(how);
      return true;
    }
    const word = how.toLowerCase();
    if (word !== "auto" && word !== "auto ignorecase")
      throw notCarriedOut(`COPY with JSON '${word}'`);
    this.#ignoreCase = word !== "auto";
    return true;
  }

  #takeValue(): boolean {
    const { cursor } = this;
    const option = cursor.takeOneOf(...VALUES);
    if (option === undefined) return false;
    this.once.note(option);
    switch (option) {
      case "DELIMITER":
        this.#delimiter = characterOption(cursor, option);
        break;
      case "QUOTE":
        this.#quote = characterOption(cursor, option);
        break;
      case "NULL":
        this.#nullAs = stringOption(cursor);
        break;
      case "IGNOREHEADER":
        this.#ignoreHeader = integerOption(cursor);
        break;
      case "MAXERROR":
        this.#maxErrors = maxErrors(integerOption(cursor));
        break;
      case "ACCEPTINVCHARS":
        cursor.takeWords("AS");
        this.#replaceInvalid =
          cursor.peek()?.kind === "string" ? characterOption(cursor, option) : "?";
        break;
    }
    return true;
  }

  #takeTimes(): boolean {
    const { cursor } = this;
    const option = cursor.takeOneOf("DATEFORMAT", "TIMEFORMAT");
    if (option === undefined) return false;
    this.once.note(option);
    const format = stringOption(cursor);
    if (option === "DATEFORMAT") {
      if (format !== "auto") throw notCarriedOut(`COPY with DATEFORMAT '${format}'`);
      this.#dateFormat = format;
      return true;
    }
    if (format !== "auto" && format !== "epochsecs" && format !== "epochmillisecs") {
      throw notCarriedOut(`COPY with TIMEFORMAT '${format}'`);
    }
    this.#timeFormat = format;
    return true;
  }

  /** Options that change how fast Redshift is, or nothing at all on one node. */
  #takeWithoutEffect(): void {
    const { cursor } = this;
    const option = cursor.takeOneOf("ENCODING", "REGION", "COMPUPDATE", "STATUPDATE", "COMPROWS");
    if (option === undefined) throw cursor.error();
    this.once.note(option);
    switch (option) {
      case "ENCODING": {
        cursor.takeWords("AS");
        const encoding = cursor.name().toUpperCase();
        if (encoding !== "UTF8") throw notCarriedOut(`COPY with ENCODING ${encoding}`);
        break;
      }
      case "REGION":
        regionOption(cursor);
        break;
      case "COMPUPDATE":
        if (!cursor.takeWords("PRESET")) switchOption(cursor);
        break;
      case "STATUPDATE":
        switchOption(cursor);
        break;
      case "COMPROWS":
        integerOption(cursor);
        break;
    }
  }

  finish(): Omit<CopyStatement, "table" | "columns" | "from"> {
    const { once } = this;
    const access = this.access();
    if (this.#format === "csv") this.#refuseWith("CSV", "ESCAPE", "REMOVEQUOTES");
    if (this.#format === "json") {
      this.#refuseWith(
        "JSON",
        "ESCAPE",
        "REMOVEQUOTES",
        "DELIMITER",
        "QUOTE",
        "IGNOREHEADER",
        "FILLRECORD",
      );
    }
    if (this.#format === "delimited") this.#refuseWith("a delimited format", "QUOTE");
    return {
      ...access,
      format: this.#formatOf(),
      conversion: {
        nullAs: this.#nullAs,
        emptyAsNull: once.has("EMPTYASNULL"),
        blanksAsNull: once.has("BLANKSASNULL"),
        trimBlanks: once.has("TRIMBLANKS"),
        truncateColumns: once.has("TRUNCATECOLUMNS"),
        acceptAnyDate: once.has("ACCEPTANYDATE"),
        roundDecimals: once.has("ROUNDEC"),
        replaceInvalid: this.#replaceInvalid,
        dateFormat: this.#dateFormat,
        timeFormat: this.#timeFormat,
      },
      manifest: once.has("MANIFEST"),
      ignoreHeader: this.#ignoreHeader,
      ignoreBlankLines: once.has("IGNOREBLANKLINES"),
      fillRecord: once.has("FILLRECORD"),
      explicitIds: once.has("EXPLICIT_IDS"),
      maxErrors: once.has("IGNOREALLERRORS") ? Infinity : this.#maxErrors,
      noLoad: once.has("NOLOAD"),
    };
  }

  #formatOf(): CopyFormat {
    if (this.#format === "json") {
      return { kind: "json", ignoreCase: this.#ignoreCase, paths: this.#jsonPaths };
    }
    if (this.#format === "csv") {
      return { kind: "csv", delimiter: this.#delimiter ?? ",", quote: this.#quote };
    }
    const escape = this.once.has("ESCAPE");
    const removeQuotes = this.once.has("REMOVEQUOTES");
    return { kind: "delimited", delimiter: this.#delimiter ?? "|", escape, removeQuotes };
  }

  #refuseWith(format: string, ...options: readonly string[]): void {
    const option = options.find((each) => this.once.has(each));
    if (option !== undefined) {
      throw new SqlError("42601", `${option} is not compatible with ${format}`);
    }
  }
}

function maxErrors(count: number): number {
  if (count > 100_000) throw new SqlError("42601", "MAXERROR must be between 0 and 100000");
  return Math.max(count, 1);
}
