/**
 * What Redshift holds each Postgres type as, and what is dumped in its place. The map loses nothing
 * silently: what Redshift cannot represent is refused here, before the dump, with the column named, or is
 * mapped by an option that the user gives for that column. Values that only some rows have (infinity, text
 * that is too long) fail the load, unless an option says otherwise.
 */
import { UsageError } from "../../core/errors.ts";
import type { Column } from "../../core/stores.ts";
import { quoteIdentifier } from "../postgres/quote.ts";
import { requireTypeName } from "./column-types.ts";

/** What to do with a column of a dump for Redshift, where the map's own answer does not fit. */
export interface RedshiftColumn {
  /** The type in Redshift, for example `decimal(18,4)` or `varchar(65535)`. A decimal is rounded to it. */
  readonly type?: string | undefined;
  /** Keep so many characters of a text, at most 16,383: these always fit into Redshift's 65,535 bytes. */
  readonly truncate?: number | undefined;
  /** NaN, infinity, and dates before the year 1 or after 9999, which Redshift lacks, become NULL. */
  readonly nonFinite?: "null" | undefined;
  /** Empty bytes become NULL. COPY would do that silently, so without this the load of one is an error. */
  readonly empty?: "null" | undefined;
}

export type RedshiftColumns = Readonly<Record<string, RedshiftColumn>>;

interface Mapped {
  readonly type: string;
  /** Of the column's quoted name. */
  readonly expression?: ((name: string) => string) | undefined;
}

const MAX_VARCHAR = 65_535;
const MAX_TRUNCATE = 16_383;
const MAX_COLUMNS = 1_600;
const LONGEST = `VARCHAR(${MAX_VARCHAR})`;

/** Types that are the same but for their name, and whose text Redshift reads. */
const SAME: Readonly<Record<string, string>> = {
  smallint: "SMALLINT",
  integer: "INTEGER",
  bigint: "BIGINT",
  oid: "BIGINT",
  xid: "BIGINT",
  cid: "BIGINT",
  real: "REAL",
  "double precision": "DOUBLE PRECISION",
  boolean: "BOOLEAN",
  date: "DATE",
  uuid: "VARCHAR(36)",
  inet: "VARCHAR(50)",
  cidr: "VARCHAR(50)",
  macaddr: "VARCHAR(50)",
  macaddr8: "VARCHAR(50)",
  name: "VARCHAR(64)",
  pg_lsn: "VARCHAR(17)",
  json: "SUPER",
  jsonb: "SUPER",
};

/** The columns of a dump that Redshift will load. Throws a `UsageError` that names every column that cannot be. */
export function forRedshift(
  columns: readonly Column[],
  options: RedshiftColumns = {},
): readonly Column[] {
  requireNames(columns, options);
  const problems: string[] = [];
  const mapped = columns.map((column) => {
    const option = options[column.name] ?? {};
    const found = mapColumn(column, option);
    if (typeof found === "string") {
      problems.push(`"${column.name}" (${column.pgType}): ${found}`);
      return column;
    }
    const { type, expression } = adjusted(column, found, option);
    return { ...column, redshiftType: type, ...(expression === undefined ? {} : { expression }) };
  });
  if (problems.length > 0) {
    throw new UsageError("TYPES_NOT_IN_REDSHIFT", `Redshift cannot hold ${problems.join("; ")}`);
  }
  return mapped;
}

/** The type for a column, or why there is none. */
function mapColumn({ pgType }: Column, { type, truncate, empty }: RedshiftColumn): Mapped | string {
  const own = pgType.replace(/^pg_catalog\./, "");
  if (truncate !== undefined && !(truncate >= 1 && truncate <= MAX_TRUNCATE)) {
    return `truncate is a number of characters from 1 to ${MAX_TRUNCATE}`;
  }
  if (type !== undefined) return chosen(own, requireTypeName(type), empty);
  if (own.endsWith("[]")) return asJson;
  const same = SAME[own];
  if (same !== undefined) return { type: same };
  const [, base = own, first, second] = /^([^(]+)\((-?\d+)(?:,(-?\d+))?\)(?: .*)?$/.exec(own) ?? [];
  const size = first === undefined ? undefined : Number(first);
  switch (base) {
    case "numeric":
      return decimal(size, Number(second ?? 0));
    case "money":
      return { type: "DECIMAL(20,2)", expression: (name) => `${name}::numeric` };
    case "character":
      // Redshift's CHAR is for ASCII; the blanks that Postgres pads with are no part of the value.
      return { type: varchar(4 * (size ?? 1)), expression: (name) => `${name}::text` };
    case "character varying":
      return { type: size === undefined ? LONGEST : varchar(4 * size) };
    case "timestamp without time zone":
    case "timestamp":
      return { type: own.endsWith("with time zone") ? "TIMESTAMPTZ" : "TIMESTAMP" };
    case "timestamp with time zone":
      return { type: "TIMESTAMPTZ" };
    case "time without time zone":
    case "time":
      return { type: own.endsWith("with time zone") ? "TIMETZ" : "TIME" };
    case "time with time zone":
      return { type: "TIMETZ" };
    case "interval":
      return { type: "VARCHAR(64)" };
    case "bytea":
      return { type: "VARBYTE(1024000)", expression: (name) => asHex(name, empty) };
    case "hstore":
    case "public.hstore":
      return { type: "SUPER", expression: (name) => `hstore_to_json(${name})::text` };
    default:
      // Text, enums, ranges, geometry, composites, types of extensions: their own text, exactly.
      return { type: LONGEST };
  }
}

const asJson: Mapped = { type: "SUPER", expression: (name) => `to_json(${name})::text` };

/** Bytes are loaded from hexadecimal text, of which `empty` is none. */
function asHex(name: string, empty: RedshiftColumn["empty"]): string {
  return empty === "null"
    ? `nullif(encode(${name}, 'hex'), '')`
    : `CASE WHEN ${name} = '' THEN 'empty' ELSE encode(${name}, 'hex') END`;
}

function decimal(precision: number | undefined, scale: number): Mapped | string {
  if (precision === undefined) {
    return 'it has no precision: choose a type for it, like { type: "decimal(38,10)" }, or { type: "varchar(65535)" } for its text';
  }
  if (precision > 38 || scale < 0 || scale > Math.min(37, precision)) {
    return 'decimals have at most 38 digits, 37 of them after the point: choose a type for it, like { type: "decimal(38,10)" }, or { type: "varchar(65535)" } for its text';
  }
  // Up to 19 digits Redshift keeps a 64-bit integer, which 19 nines overflow.
  return { type: `DECIMAL(${precision === 19 ? 20 : precision},${scale})` };
}

/** The user's own type. Decimals are cast, so that it is Postgres that rounds, and refuses what does not fit. */
function chosen(own: string, type: string, empty: RedshiftColumn["empty"]): Mapped {
  const decimals = /^(?:decimal|numeric)\((\d+(?:,\d+)?)\)$/i.exec(type.replaceAll(" ", ""))?.[1];
  if (decimals !== undefined) {
    return { type, expression: (name) => `${name}::numeric(${decimals})` };
  }
  if (own === "bytea" && /^(varbyte|varbinary|binary varying)/i.test(type)) {
    return { type, expression: (name) => asHex(name, empty) };
  }
  if (own.startsWith("character(")) return { type, expression: (name) => `${name}::text` };
  return {
    type,
    expression: own.endsWith("[]") && /^super$/i.test(type) ? asJson.expression : undefined,
  };
}

/** What the other options make of it. */
function adjusted(
  { name, pgType }: Column,
  { type, expression }: Mapped,
  { truncate, nonFinite }: RedshiftColumn,
): { readonly type: string; readonly expression: string | undefined } {
  const quoted = quoteIdentifier(name);
  let text = expression?.(quoted);
  if (truncate !== undefined) {
    text = `left(${text ?? `${quoted}::text`}, ${truncate})`;
    return { type: varchar(4 * truncate), expression: text };
  }
  if (nonFinite === "null") {
    return { type, expression: `CASE WHEN ${inRange(quoted, pgType)} THEN ${text ?? quoted} END` };
  }
  return { type, expression: text };
}

function inRange(name: string, pgType: string): string {
  return /^(date|timestamp)/.test(pgType)
    ? `${name} BETWEEN '0001-01-01' AND '9999-12-31'`
    : `${name}::text NOT IN ('NaN', 'Infinity', '-Infinity')`;
}

function varchar(bytes: number): string {
  return `VARCHAR(${Math.min(bytes, MAX_VARCHAR)})`;
}

function requireNames(columns: readonly Column[], options: RedshiftColumns): void {
  const refuse = (problem: string): never => {
    throw new UsageError("COLUMNS_NOT_IN_REDSHIFT", problem);
  };
  if (columns.length > MAX_COLUMNS) {
    refuse(`Redshift's tables have at most ${MAX_COLUMNS} columns, these are ${columns.length}`);
  }
  const folded = new Map<string, string>();
  for (const { name } of columns) {
    const other = folded.get(name.toLowerCase());
    if (other !== undefined) {
      refuse(
        `"${other}" and "${name}" are one name in Redshift, which folds to lower case: dump a query that renames one`,
      );
    }
    folded.set(name.toLowerCase(), name);
  }
  const unknown = Object.keys(options).find(
    (name) => !columns.some((column) => column.name === name),
  );
  if (unknown !== undefined) {
    refuse(
      `there is an option for the column "${unknown}", but the columns are ${columns.map(({ name }) => `"${name}"`).join(", ")}`,
    );
  }
}
