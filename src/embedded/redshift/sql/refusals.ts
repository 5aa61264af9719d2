/**
 * What Postgres would do and Redshift does not. Statements that are not on the list of `translate` never
 * get here; these are the parts of accepted statements.
 */

import { type SqlError, unsupported } from "../sql-error.ts";
import type { Token } from "./token.ts";

const TYPES = "JSONB?|UUID|BYTEA|MONEY|XML|TSVECTOR|CITEXT|INET|CIDR";

/** Over the words of a statement: strings are `'`, quoted names `"`, so neither trips a pattern. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/^CREATE (UNIQUE )?INDEX\b/, "CREATE INDEX"],
  [
    /^CREATE (OR REPLACE )?(EXTENSION|TRIGGER|TYPE|SEQUENCE|RULE|DOMAIN|AGGREGATE|OPERATOR)\b/,
    "this CREATE statement",
  ],
  [/^(SAVEPOINT|RELEASE|ROLLBACK TO)\b/, "SAVEPOINT"],
  [/^(LISTEN|NOTIFY|UNLISTEN)\b/, "LISTEN and NOTIFY"],
  [/^DO\b/, "DO"],
  [/\bON CONFLICT\b/, "ON CONFLICT"],
  [/\bRETURNING\b/, "RETURNING"],
  [/\bFOR (UPDATE|SHARE|NO KEY UPDATE|KEY SHARE)\b/, "a locking clause (FOR UPDATE, FOR SHARE)"],
  [/\bFILTER \( WHERE\b/, "FILTER on an aggregate"],
  [/\bDISTINCT ON \(/, "DISTINCT ON"],
  [/\b(ARRAY_AGG|STRING_AGG|JSON_AGG|JSONB_AGG) \(/, "this aggregate"],
  [/\bPG_(TRY_)?ADVISORY_\w+ \(/, "an advisory lock"],
  [/\bLATERAL\b/, "LATERAL"],
  [/\bPG_STAT_ACTIVITY\b/, "pg_stat_activity, but for a few columns of Postgres 8.0,"],
  [/\bTO_REG(CLASS|TYPE) \(/, "to_regclass"],
  [new RegExp(`(:: |\\bCAST \\([^)]* AS )(${TYPES})\\b`), "this type"],
];

export function refusedPart(tokens: readonly Token[]): SqlError | undefined {
  const words = tokens.map(wordOf).join(" ");
  const found = PATTERNS.find(([pattern]) => pattern.test(words));
  return found === undefined ? undefined : unsupported(found[1]);
}

function wordOf({ kind, value }: Token): string {
  if (kind === "string") return "'";
  return kind === "name" ? '"' : value;
}
