/**
 * SQL cut into tokens by Redshift's rules: backslashes escape in ordinary literals, there are no
 * E'' literals, and names fold to lower case, quoted or not. The text of a token is what Postgres is
 * given in its place.
 */

import { SqlError, unsupported } from "../sql-error.ts";

export interface Token {
  /** `name` is a quoted name: never a keyword. */
  readonly kind: "word" | "name" | "string" | "number" | "symbol" | "parameter";
  /** Words upper case; names as Redshift folds them; strings without quotes and escapes. */
  readonly value: string;
  /** The token for Postgres. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const PATTERN =
  /\s+|--[^\n]*|\/\*|[A-Za-z]?'|"|\$(?:[A-Za-z_]\w*)?\$|\$\d+|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|::|:=|<=|>=|<>|!=|\|\||[\s\S]/gy;

/** Postgres cuts longer names off with no more than a notice; Redshift has room for 127 bytes. */
const POSTGRES_NAME_BYTES = 63;
const REDSHIFT_NAME_BYTES = 127;

export function tokenize(sql: string): readonly Token[] {
  const tokens: Token[] = [];
  const pattern = new RegExp(PATTERN);
  for (let match = pattern.exec(sql); match !== null; match = pattern.exec(sql)) {
    const [raw] = match;
    if (/^(\s|--)/.test(raw)) continue;
    if (raw === "/*") {
      pattern.lastIndex = endOfComment(sql, match.index);
      continue;
    }
    const token = tokenAt(sql, match.index, raw);
    pattern.lastIndex = token.end;
    tokens.push(token);
  }
  return tokens;
}

/** The statements of a text that several may share. */
export function statementsOf(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const statements: Token[][] = [[]];
  for (const token of tokens) {
    if (token.kind === "symbol" && token.value === ";") statements.push([]);
    else statements.at(-1)?.push(token);
  }
  return statements.filter((statement) => statement.length > 0);
}

export const isWord = (token: Token | undefined, ...words: readonly string[]): boolean =>
  token?.kind === "word" && words.includes(token.value);

export const isSymbol = (token: Token | undefined, symbol: string): boolean =>
  token?.kind === "symbol" && token.value === symbol;

/** The only literal form that is the same in every dialect. */
export const literal = (value: string): string => `'${value.replaceAll("'", "''")}'`;
export const quotedName = (value: string): string => `"${value.replaceAll('"', '""')}"`;

/** Redshift's complaint about a token. */
export function syntaxError(token: Token | undefined, sql: string): SqlError {
  const near = token === undefined ? "end of input" : sql.slice(token.start, token.end);
  return new SqlError(
    "42601",
    token === undefined ? "syntax error at end of input" : `syntax error at or near "${near}"`,
  );
}

function tokenAt(sql: string, start: number, raw: string): Token {
  if (raw.endsWith("'")) return stringAt(sql, start, raw);
  if (raw === '"') return nameAt(sql, start);
  if (/^\$\D?\w*\$$/.test(raw)) return dollarStringAt(sql, start, raw);
  const end = start + raw.length;
  if (/^\$\d/.test(raw)) return { kind: "parameter", value: raw, text: raw, start, end };
  if (/^[A-Za-z_\u0080-\uffff]/.test(raw)) {
    checkLength(raw);
    return { kind: "word", value: raw.toUpperCase(), text: raw, start, end };
  }
  if (/^\.?\d/.test(raw)) return { kind: "number", value: raw, text: raw, start, end };
  return { kind: "symbol", value: raw, text: raw, start, end };
}

const ESCAPES: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

function stringAt(sql: string, start: number, opening: string): Token {
  if (opening.length > 1) throw unsupported(`a literal written ${opening}…'`);
  let value = "";
  for (let at = start + 1; at < sql.length; at += 1) {
    const char = sql[at] ?? "";
    if (char === "\\") {
      const octal = /^[0-7]{1,3}/.exec(sql.slice(at + 1, at + 4))?.[0];
      const next = sql[at + 1] ?? "";
      value +=
        octal === undefined ? (ESCAPES[next] ?? next) : String.fromCharCode(parseInt(octal, 8));
      at += octal?.length ?? 1;
    } else if (char !== "'") {
      value += char;
    } else if (sql[at + 1] === "'") {
      value += char;
      at += 1;
    } else {
      return { kind: "string", value, text: literal(value), start, end: at + 1 };
    }
  }
  throw new SqlError("42601", "unterminated quoted string");
}

function nameAt(sql: string, start: number): Token {
  const found = /"((?:[^"]|"")*)"/y;
  found.lastIndex = start;
  const match = found.exec(sql);
  if (match === null) throw new SqlError("42601", "unterminated quoted identifier");
  // Folded although quoted: that is how Redshift loses the difference between "Foo" and "foo".
  const value = (match[1] ?? "").replaceAll('""', '"').toLowerCase();
  if (value === "") throw new SqlError("42601", "zero-length delimited identifier");
  checkLength(value);
  return { kind: "name", value, text: quotedName(value), start, end: found.lastIndex };
}

function dollarStringAt(sql: string, start: number, tag: string): Token {
  const close = sql.indexOf(tag, start + tag.length);
  if (close < 0) throw new SqlError("42601", "unterminated dollar-quoted string");
  const value = sql.slice(start + tag.length, close);
  return { kind: "string", value, text: literal(value), start, end: close + tag.length };
}

function checkLength(name: string): void {
  const bytes = Buffer.byteLength(name);
  if (bytes <= POSTGRES_NAME_BYTES) return;
  throw bytes > REDSHIFT_NAME_BYTES
    ? new SqlError("42622", `identifier "${name}" is longer than ${REDSHIFT_NAME_BYTES} bytes`)
    : new SqlError(
        "0A000",
        `identifier "${name}" has ${bytes} bytes: Redshift takes up to ${REDSHIFT_NAME_BYTES}, the Postgres behind this stand-in only ${POSTGRES_NAME_BYTES}`,
      );
}

function endOfComment(sql: string, start: number): number {
  let depth = 0;
  for (let at = start; at < sql.length; at += 1) {
    const two = sql.slice(at, at + 2);
    if (two === "/*") depth += 1;
    if (two === "*/") depth -= 1;
    if (two === "/*" || two === "*/") at += 1;
    if (depth === 0) return at + 1;
  }
  throw new SqlError("42601", "unterminated /* comment");
}
