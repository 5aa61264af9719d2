/** Redshift's column types, and what Postgres keeps in their place. Unknown ones are refused. */

import { notCarriedOut, SqlError, unsupported } from "../sql-error.ts";
import type { Cursor } from "./cursor.ts";

const PLAIN: Readonly<Record<string, string>> = {
  SMALLINT: "smallint",
  INT2: "smallint",
  INTEGER: "integer",
  INT: "integer",
  INT4: "integer",
  BIGINT: "bigint",
  INT8: "bigint",
  REAL: "real",
  FLOAT4: "real",
  FLOAT8: "double precision",
  FLOAT: "double precision",
  BOOLEAN: "boolean",
  BOOL: "boolean",
  DATE: "date",
  TIMETZ: "timetz",
  TIMESTAMPTZ: "timestamptz",
  SUPER: "super",
  // Redshift's default length, which surprises everyone who comes from Postgres.
  TEXT: "varchar(256)",
  BPCHAR: "char(256)",
};

const UNSUPPORTED = new Set(
  "ARRAY BIT BYTEA CIDR CIRCLE CITEXT HSTORE INET JSON JSONB LINE LSEG MACADDR MONEY OID PATH POINT POLYGON SERIAL BIGSERIAL SMALLSERIAL SERIAL2 SERIAL4 SERIAL8 TSQUERY TSVECTOR UUID XML".split(
    " ",
  ),
);

const MAX_VARCHAR = 65_535;
const MAX_CHAR = 4_096;
const MAX_VARBYTE = 1_024_000;

/** Takes a type; gives the one for Postgres. */
export function takeColumnType(cursor: Cursor): string {
  const token = cursor.take();
  if (token.kind !== "word") throw new SqlError("42704", `type "${token.value}" does not exist`);
  const type = typeFor(token.value, cursor);
  if (cursor.peek()?.value === "[") throw unsupported("an array type");
  return type;
}

function typeFor(word: string, cursor: Cursor): string {
  if (UNSUPPORTED.has(word)) throw unsupported(`type ${word.toLowerCase()}`);
  const plain = PLAIN[word];
  if (plain !== undefined) return plain;
  switch (word) {
    case "DOUBLE":
      cursor.expectWord("PRECISION");
      return "double precision";
    case "VARCHAR":
    case "NVARCHAR":
      return `varchar(${length(cursor, { byDefault: 256, max: MAX_VARCHAR })})`;
    case "CHARACTER":
      if (cursor.takeWords("VARYING")) {
        return `varchar(${length(cursor, { byDefault: 256, max: MAX_VARCHAR })})`;
      }
      return `char(${length(cursor, { byDefault: 1, max: MAX_CHAR })})`;
    case "CHAR":
    case "NCHAR":
      return `char(${length(cursor, { byDefault: 1, max: MAX_CHAR })})`;
    case "DECIMAL":
    case "NUMERIC":
      return decimal(cursor);
    case "TIME":
    case "TIMESTAMP":
      return `${word.toLowerCase()}${takeTimeZone(cursor) ? "tz" : ""}`;
    case "VARBYTE":
    case "VARBINARY":
      return `varbyte(${length(cursor, { byDefault: 64_000, max: MAX_VARBYTE })})`;
    case "BINARY":
      cursor.expectWord("VARYING");
      return `varbyte(${length(cursor, { byDefault: 64_000, max: MAX_VARBYTE })})`;
    case "INTERVAL":
    case "GEOMETRY":
    case "GEOGRAPHY":
    case "HLLSKETCH":
      throw notCarriedOut(`type ${word.toLowerCase()}`);
    default:
      throw new SqlError("42704", `type "${word.toLowerCase()}" does not exist`);
  }
}

function takeTimeZone(cursor: Cursor): boolean {
  if (cursor.takeWords("WITH", "TIME", "ZONE")) return true;
  cursor.takeWords("WITHOUT", "TIME", "ZONE");
  return false;
}

function length(
  cursor: Cursor,
  { byDefault, max }: { readonly byDefault: number; readonly max: number },
): number {
  if (!cursor.takeSymbol("(")) return byDefault;
  const value = cursor.takeWords("MAX") ? max : cursor.integer();
  cursor.expectSymbol(")");
  if (value < 1 || value > max) {
    throw new SqlError("22023", `length for type must be between 1 and ${max}`);
  }
  return value;
}

function decimal(cursor: Cursor): string {
  let precision = 18;
  let scale = 0;
  if (cursor.takeSymbol("(")) {
    precision = cursor.integer();
    if (cursor.takeSymbol(",")) scale = cursor.integer();
    cursor.expectSymbol(")");
  }
  if (precision < 1 || precision > 38) {
    throw new SqlError("22023", `NUMERIC precision ${precision} must be between 1 and 38`);
  }
  if (scale > Math.min(37, precision)) {
    throw new SqlError(
      "22023",
      `NUMERIC scale ${scale} must be between 0 and precision ${precision}`,
    );
  }
  return `numeric(${precision},${scale})`;
}
