/**
 * CREATE TABLE and CREATE TABLE AS, with Redshift's types and attributes, made into Postgres's. Keys are
 * accepted and not enforced; what follows from them (NOT NULL) is.
 */

import { SqlError, unsupported } from "../sql-error.ts";
import { takeColumnType } from "./column-type.ts";
import { Cursor } from "./cursor.ts";
import {
  checkLayout,
  emptyLayout,
  setDistKey,
  type TableLayout,
  takeEncoding,
  takeTableAttribute,
} from "./table-layout.ts";
import { isSymbol, isWord, quotedName, type Token } from "./token.ts";

export interface CreateTable {
  readonly sql: string;
  readonly layout: TableLayout;
}

export type Rewrite = (tokens: readonly Token[]) => string;

/** The part of the statement after CREATE [TEMP] TABLE. `temporary` is put back by the caller. */
export function parseCreateTable(cursor: Cursor, sql: string, rewrite: Rewrite): CreateTable {
  const ifNotExists = cursor.takeWords("IF", "NOT", "EXISTS") ? "IF NOT EXISTS " : "";
  const name = cursor.qualifiedName().map(quotedName).join(".");
  const layout = emptyLayout();
  const notNull = new Set<string>();
  let elements: readonly string[] | undefined;
  let columnsOnly = true;
  if (isSymbol(cursor.peek(), "(")) {
    const parsed = split(cursor.bracketed()).map((tokens) =>
      element(new Cursor(tokens, sql), { layout, notNull, rewrite }),
    );
    columnsOnly = parsed.every(({ kind }) => kind === "name");
    elements = parsed.flatMap(({ kind, text }) => (kind === "key" ? [] : [text]));
  }
  while (takeTableAttribute(cursor, layout));
  checkLayout(layout);
  const head = `${ifNotExists}${name}`;
  if (cursor.takeWords("AS")) {
    if (!columnsOnly) throw new SqlError("42601", "CREATE TABLE AS takes names of columns only");
    const list = elements === undefined ? "" : ` (${elements.join(", ")})`;
    return { sql: `${head}${list} AS ${rewrite(cursor.rest())}`, layout };
  }
  cursor.expectEnd();
  if (elements === undefined) throw cursor.error();
  const required = [...notNull].map((column) => `NOT NULL ${quotedName(column)}`);
  return { sql: `${head} (${[...elements, ...required].join(", ")})`, layout };
}

/** One column of ALTER TABLE ADD COLUMN. */
export function parseColumn(cursor: Cursor, rewrite: Rewrite): string {
  return element(cursor, { layout: emptyLayout(), notNull: new Set(), rewrite }).text;
}

interface Context {
  readonly layout: TableLayout;
  /** Columns of a table-level primary key. */
  readonly notNull: Set<string>;
  readonly rewrite: Rewrite;
}

interface Element {
  readonly kind: "column" | "name" | "like" | "key";
  readonly text: string;
}

function element(cursor: Cursor, context: Context): Element {
  if (cursor.takeWords("LIKE")) return { kind: "like", text: like(cursor, context.layout) };
  if (takeTableKey(cursor, context.notNull)) return { kind: "key", text: "" };
  if (isWord(cursor.peek(), "CHECK", "EXCLUDE"))
    throw unsupported(`a ${cursor.take().value} constraint`);
  const name = cursor.name();
  if (cursor.done) return { kind: "name", text: quotedName(name) };
  const type = takeColumnType(cursor);
  const parts = [quotedName(name), type];
  while (!cursor.done) parts.push(...attribute(cursor, name, context));
  return { kind: "column", text: parts.join(" ") };
}

/** `LIKE t [INCLUDING DEFAULTS]`: NOT NULL comes along, defaults only when asked for. */
function like(cursor: Cursor, layout: TableLayout): string {
  const table = cursor.qualifiedName().map(quotedName).join(".");
  layout.like = table;
  const including = cursor.takeWords("INCLUDING", "DEFAULTS");
  if (!including) cursor.takeWords("EXCLUDING", "DEFAULTS");
  cursor.expectEnd();
  return `LIKE ${table}${including ? " INCLUDING DEFAULTS" : ""}`;
}

/** Takes a key of the whole table. */
function takeTableKey(cursor: Cursor, notNull: Set<string>): boolean {
  if (cursor.takeWords("CONSTRAINT")) cursor.name();
  if (cursor.takeWords("PRIMARY", "KEY")) {
    for (const column of cursor.nameList()) notNull.add(column);
  } else if (cursor.takeWords("UNIQUE")) {
    cursor.nameList();
  } else if (cursor.takeWords("FOREIGN", "KEY")) {
    cursor.nameList();
    cursor.expectWord("REFERENCES");
    cursor.qualifiedName();
    if (!cursor.done) cursor.nameList();
  } else {
    return false;
  }
  cursor.expectEnd();
  return true;
}

/** One attribute of a column, as Postgres is to have it. */
function attribute(cursor: Cursor, name: string, { layout, rewrite }: Context): readonly string[] {
  if (cursor.takeWords("NOT", "NULL")) return ["NOT NULL"];
  if (cursor.takeWords("PRIMARY", "KEY")) return ["NOT NULL"];
  if (cursor.takeWords("NULL") || cursor.takeWords("UNIQUE")) return [];
  if (cursor.takeWords("DEFAULT")) return ["DEFAULT", rewrite(defaultValue(cursor))];
  if (cursor.takeWords("IDENTITY")) return [identity(cursor)];
  if (cursor.takeWords("GENERATED", "BY", "DEFAULT", "AS", "IDENTITY")) return [identity(cursor)];
  if (cursor.takeWords("ENCODE")) {
    layout.encodings[name] = takeEncoding(cursor);
    return [];
  }
  if (cursor.takeWords("DISTKEY")) {
    setDistKey(layout, name);
    return [];
  }
  if (cursor.takeWords("SORTKEY")) {
    if (layout.sortKeys.length > 0) throw new SqlError("42601", "SORTKEY is given twice");
    layout.sortKeys = [name];
    layout.sortStyle = "COMPOUND";
    return [];
  }
  if (cursor.takeWords("REFERENCES")) {
    cursor.qualifiedName();
    if (isSymbol(cursor.peek(), "(")) cursor.nameList();
    return [];
  }
  if (isWord(cursor.peek(), "CHECK")) throw unsupported("a CHECK constraint");
  throw cursor.error();
}

/** `IDENTITY (seed, step)` */
function identity(cursor: Cursor): string {
  cursor.expectSymbol("(");
  const seed = cursor.integer();
  cursor.expectSymbol(",");
  const step = cursor.integer();
  cursor.expectSymbol(")");
  return `GENERATED BY DEFAULT AS IDENTITY (START ${seed} INCREMENT ${step})`;
}

/** A default's tokens end where the next attribute of the column begins. */
function defaultValue(cursor: Cursor): readonly Token[] {
  const tokens: Token[] = [];
  for (let depth = 0; !cursor.done; ) {
    const next = cursor.peek();
    const ends = isWord(
      next,
      "NOT",
      "PRIMARY",
      "UNIQUE",
      "ENCODE",
      "DISTKEY",
      "SORTKEY",
      "REFERENCES",
    );
    // `DEFAULT NULL` has a value that looks like an attribute.
    if (depth === 0 && tokens.length > 0 && (ends || isWord(next, "NULL"))) break;
    if (isSymbol(next, "(")) depth += 1;
    if (isSymbol(next, ")")) depth -= 1;
    tokens.push(cursor.take());
  }
  return tokens;
}

/** At the commas that no bracket holds. */
function split(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (isSymbol(token, "(")) depth += 1;
    if (isSymbol(token, ")")) depth -= 1;
    if (depth === 0 && isSymbol(token, ",")) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts;
}
