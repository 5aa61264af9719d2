/**
 * SQL that both understand, put into Postgres's words: literals and names as Redshift reads them, the
 * few functions whose names differ, and what a session knows of its own loads.
 */

import type { SessionFacts } from "./plan.ts";
import { isSymbol, literal, type Token } from "./token.ts";

/** The text of these tokens for Postgres; line breaks stay where they were. */
export function rewrite(tokens: readonly Token[], sql: string, facts: SessionFacts): string {
  let out = "";
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at];
    if (token === undefined) break;
    const before = tokens[at - 1];
    if (before !== undefined) out += gap(sql.slice(before.end, token.start));
    const fact = factAt(tokens, at, facts);
    out += fact ?? textOf(token, tokens[at + 1], before);
    if (fact !== undefined) at += 2;
  }
  return out;
}

const gap = (between: string): string =>
  between === "" ? "" : between.includes("\n") ? "\n" : " ";

function textOf(token: Token, next: Token | undefined, before: Token | undefined): string {
  if (token.kind !== "word" || isSymbol(before, ".")) return token.text;
  if (token.value === "NVL" && isSymbol(next, "(")) return "coalesce";
  if (token.value === "JSON_SERIALIZE" && isSymbol(next, "("))
    return "sluice_standin.json_serialize";
  if (token.value === "SYSDATE") return "localtimestamp";
  return token.text;
}

/** `pg_last_copy_count()` and its kind: the answer itself. */
function factAt(tokens: readonly Token[], at: number, facts: SessionFacts): string | undefined {
  const token = tokens[at];
  if (token?.kind !== "word" || !isSymbol(tokens[at + 1], "(") || !isSymbol(tokens[at + 2], ")")) {
    return undefined;
  }
  switch (token.value) {
    case "PG_LAST_COPY_ID":
      return `${literal(facts.lastCopyId)}::integer`;
    case "PG_LAST_COPY_COUNT":
      return `${literal(String(facts.lastCopyCount))}::bigint`;
    case "PG_LAST_UNLOAD_ID":
      return `${literal(facts.lastUnloadId)}::integer`;
    case "PG_LAST_UNLOAD_COUNT":
      return `${literal(String(facts.lastUnloadCount))}::bigint`;
    default:
      return undefined;
  }
}

/** Whether the statement asks for something that changes from one run to the next. */
export function asksForFacts(tokens: readonly Token[]): boolean {
  return tokens.some(
    ({ kind, value }) => kind === "word" && /^PG_LAST_(COPY|UNLOAD)_(ID|COUNT)$/.test(value),
  );
}
