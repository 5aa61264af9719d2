/**
 * A client's text, as plans. The statements that Redshift and the stand-in share are listed here; every
 * other statement is refused by name.
 */

import { notCarriedOut, SqlError, unsupported } from "../sql-error.ts";
import { alterTable } from "./alter-table.ts";
import { parseCopy } from "./copy-statement.ts";
import { parseCreateTable } from "./create-table.ts";
import { Cursor } from "./cursor.ts";
import type { Plan, SessionFacts } from "./plan.ts";
import { refusedPart } from "./refusals.ts";
import { asksForFacts, rewrite } from "./rewrite.ts";
import { setParameter } from "./set-parameter.ts";
import type { TableLayout } from "./table-layout.ts";
import {
  isSymbol,
  isWord,
  literal,
  quotedName,
  statementsOf,
  type Token,
  tokenize,
} from "./token.ts";
import { parseUnload } from "./unload-statement.ts";

/** Given to Postgres with no more than its words changed. */
const SHARED = new Set([
  "ABORT",
  "BEGIN",
  "CLOSE",
  "COMMENT",
  "COMMIT",
  "DEALLOCATE",
  "DECLARE",
  "DELETE",
  "END",
  "EXECUTE",
  "EXPLAIN",
  "FETCH",
  "INSERT",
  "LOCK",
  "MERGE",
  "PREPARE",
  "RESET",
  "REVOKE",
  "ROLLBACK",
  "SELECT",
  "SHOW",
  "START",
  "UPDATE",
  "WITH",
]);

/** One plan for each statement. Throws `SqlError` when the text cannot even be cut into statements. */
export function translate(
  sql: string,
  facts: SessionFacts,
  { prepared = false }: { readonly prepared?: boolean } = {},
): readonly Plan[] {
  return statementsOf(tokenize(sql)).map((tokens) => {
    try {
      // The answer is put into the text, so it would be the same each time the statement runs.
      if (prepared && asksForFacts(tokens)) throw notCarriedOut("pg_last_… in a named statement");
      return planOf(tokens, sql, facts);
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      return { kind: "refuse", error };
    }
  });
}

function planOf(tokens: readonly Token[], sql: string, facts: SessionFacts): Plan {
  const cursor = new Cursor(tokens, sql);
  const forPostgres = (some: readonly Token[], text: string) => rewritten(some, text, facts);
  const verb = cursor.peek()?.kind === "word" ? cursor.take().value : "";
  if (verb === "UNLOAD") return { kind: "unload", statement: parseUnload(cursor, forPostgres) };
  if (verb === "COPY") return copy(cursor);
  const refusal = refusedPart(tokens);
  if (refusal !== undefined) throw refusal;
  switch (verb) {
    case "CREATE":
      return create(cursor, tokens, sql, (some) => forPostgres(some, sql));
    case "ALTER":
      return alterTable(cursor, (some) => forPostgres(some, sql));
    case "DROP":
      return drop(cursor, forPostgres(tokens, sql));
    case "TRUNCATE":
      return truncate(cursor);
    case "ANALYZE":
    case "ANALYSE":
      return analyze(cursor);
    case "VACUUM":
      return vacuum(cursor);
    case "CANCEL":
      return cancel(cursor);
    case "CALL":
      return conflict(cursor);
    case "SET":
      return setParameter(cursor, forPostgres(tokens, sql));
    case "GRANT":
      // Redshift's roles are Postgres's, but for the word.
      return { kind: "forward", sql: forPostgres(tokens, sql).replace(/\bTO ROLE\b/i, "TO") };
    default: {
      if (verb === "" && !isSymbol(tokens[0], "(")) throw cursor.error();
      if (verb !== "" && !SHARED.has(verb)) throw unknownStatement(verb, cursor);
      return { kind: "forward", sql: forPostgres(tokens, sql), writes: writtenTable(verb, cursor) };
    }
  }
}

function rewritten(tokens: readonly Token[], sql: string, facts: SessionFacts): string {
  const refusal = refusedPart(tokens);
  if (refusal !== undefined) throw refusal;
  return rewrite(tokens, sql, facts);
}

function copy(cursor: Cursor): Plan {
  if (cursor.tokens.some((token) => isWord(token, "STDIN", "STDOUT"))) {
    throw unsupported("COPY from STDIN or to STDOUT");
  }
  return { kind: "copy", statement: parseCopy(cursor) };
}

/** The table that INSERT, UPDATE or DELETE names. */
function writtenTable(verb: string, cursor: Cursor): string | undefined {
  if (verb === "INSERT") cursor.expectWord("INTO");
  else if (verb === "DELETE") cursor.takeWords("FROM");
  else if (verb !== "UPDATE") return undefined;
  return cursor.qualifiedName().join(".");
}

function create(
  cursor: Cursor,
  tokens: readonly Token[],
  sql: string,
  forPostgres: (tokens: readonly Token[]) => string,
): Plan {
  if (cursor.takeWords("DATABASE")) return database("CREATE DATABASE", cursor);
  cursor.takeOneOf("LOCAL");
  const temporary = cursor.takeOneOf("TEMP", "TEMPORARY") === undefined ? "" : "TEMP ";
  if (cursor.takeWords("TABLE")) {
    const table = parseCreateTable(cursor, sql, forPostgres);
    const statements = `${keepLayout(table.layout)}; CREATE ${temporary}TABLE ${table.sql}`;
    return { kind: "forward", sql: statements, resultAt: 1 };
  }
  cursor.takeWords("OR", "REPLACE");
  if (cursor.takeOneOf("VIEW", "SCHEMA", "USER", "GROUP", "ROLE") === undefined) {
    throw unknownStatement(`CREATE ${cursor.peek()?.value ?? ""}`, cursor);
  }
  const text = forPostgres(tokens);
  // Views that are bound late need no tables yet: Postgres has none of the kind.
  if (/\bWITH NO SCHEMA BINDING$/i.test(text)) throw notCarriedOut("WITH NO SCHEMA BINDING");
  return { kind: "forward", sql: text };
}

/** An event trigger reads it, so a layout is kept exactly when its table is created. */
function keepLayout({ like, ...layout }: TableLayout): string {
  const own = literal(JSON.stringify(layout));
  // A table that is made LIKE another is laid out like it.
  const value =
    like === undefined
      ? own
      : `coalesce((SELECT layout::text FROM sluice_standin.layout WHERE relation = to_regclass(${literal(like)})), ${own})`;
  return `SELECT set_config('sluice_standin.layout', ${value}, true)`;
}

function drop(cursor: Cursor, sql: string): Plan {
  if (cursor.takeWords("DATABASE")) return database("DROP DATABASE", cursor);
  if (cursor.takeOneOf("TABLE", "VIEW", "SCHEMA", "USER", "GROUP", "ROLE") === undefined) {
    throw unknownStatement(`DROP ${cursor.peek()?.value ?? ""}`, cursor);
  }
  return { kind: "forward", sql };
}

/** Without options: owners, limits and isolation levels are not kept. */
function database(tag: string, cursor: Cursor): Plan {
  const name = cursor.name();
  if (!cursor.done) throw notCarriedOut(`${tag} with options`);
  return { kind: "alone", sql: `${tag} ${quotedName(name)}`, tag };
}

/** One table, without CASCADE or RESTART: Redshift has neither. */
function truncate(cursor: Cursor): Plan {
  cursor.takeWords("TABLE");
  const names = cursor.qualifiedName();
  cursor.expectEnd();
  const sql = `TRUNCATE TABLE ${names.map(quotedName).join(".")}`;
  return { kind: "truncate", sql, writes: names.join(".") };
}

function analyze(cursor: Cursor): Plan {
  if (cursor.takeWords("COMPRESSION")) throw notCarriedOut("ANALYZE COMPRESSION");
  cursor.takeWords("VERBOSE");
  let target = "";
  if (!cursor.done && !isWord(cursor.peek(), "PREDICATE", "ALL")) {
    target = ` ${cursor.qualifiedName().map(quotedName).join(".")}`;
    if (isSymbol(cursor.peek(), "("))
      target += ` (${cursor.nameList().map(quotedName).join(", ")})`;
  }
  if (cursor.takeOneOf("PREDICATE", "ALL") !== undefined) cursor.expectWord("COLUMNS");
  cursor.expectEnd();
  return { kind: "forward", sql: `ANALYZE${target}` };
}

function vacuum(cursor: Cursor): Plan {
  if (cursor.takeOneOf("SORT", "DELETE") !== undefined) cursor.expectWord("ONLY");
  else cursor.takeOneOf("FULL", "REINDEX", "RECLUSTER");
  let target = "";
  if (!cursor.done && !isWord(cursor.peek(), "TO", "BOOST")) {
    target = ` ${cursor.qualifiedName().map(quotedName).join(".")}`;
  }
  if (cursor.takeWords("TO")) {
    const percent = cursor.integer();
    cursor.expectWord("PERCENT");
    if (percent > 100) throw new SqlError("22023", "VACUUM TO takes a percentage from 0 to 100");
  }
  cursor.takeWords("BOOST");
  cursor.expectEnd();
  return { kind: "alone", sql: `VACUUM${target}`, tag: "VACUUM" };
}

/** `CANCEL pid ['message']` */
function cancel(cursor: Cursor): Plan {
  const pid = cursor.integer();
  if (cursor.peek()?.kind === "string") cursor.take();
  cursor.expectEnd();
  const sql = `DO $$ BEGIN PERFORM pg_cancel_backend(${pid}); END $$`;
  return { kind: "forward", sql, tag: "CANCEL" };
}

/** The one command that Redshift does not have: `CALL sluice_standin.conflict('schema.table', times)`. */
function conflict(cursor: Cursor): Plan {
  const [schema, procedure] = cursor.qualifiedName();
  if (schema !== "sluice_standin" || procedure !== "conflict") throw notCarriedOut("CALL");
  cursor.expectSymbol("(");
  const table = cursor.string();
  const times = cursor.takeSymbol(",") ? cursor.integer() : 1;
  cursor.expectSymbol(")");
  cursor.expectEnd();
  return { kind: "conflict", table, times };
}

function unknownStatement(what: string, cursor: Cursor): SqlError {
  return /^[A-Z ]+$/.test(what) ? notCarriedOut(what.trim()) : cursor.error();
}
