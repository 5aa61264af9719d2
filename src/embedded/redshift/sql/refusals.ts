/**
 * What Postgres would do and Redshift does not. Statements that are not on the list of `translate` never
 * get here; these are the parts of accepted statements.
 */

import { SqlError, unsupported } from "../sql-error.ts";
import type { Token } from "./token.ts";

const TYPES = "JSONB?|UUID|BYTEA|MONEY|XML|TSVECTOR|CITEXT|INET|CIDR";

/** Reserved in Redshift and not in Postgres, of those that people name tables and schemas by. */
const RESERVED =
  "BACKUP|CREDENTIALS|DELTA|DISABLE|ENABLE|ENCODE|EXPLICIT|GZIP|IDENTITY|IGNORE|LANGUAGE|MINUS|NEW|OFF|OFFLINE|OLD|OPEN|PARALLEL|PARTITION|PERCENT|PERMISSIONS|PIVOT|RAW|RECOVER|RESPECT|RESTORE|SNAPSHOT|SYSTEM|TAG|TOP|WALLET";

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

const RESERVED_NAME = new RegExp(
  `\\b(?:(${RESERVED}) \\.|(?:FROM|JOIN) (${RESERVED})(?! \\()(?= |$)|(?:INTO|UPDATE|TABLE|VIEW|SCHEMA|EXISTS) (${RESERVED})(?= |$))`,
);

export function refusedPart(tokens: readonly Token[]): SqlError | undefined {
  const words = tokens.map(wordOf).join(" ");
  const word = RESERVED_NAME.exec(words)
    ?.slice(1)
    .find((found) => found !== undefined)
    ?.toLowerCase();
  if (word !== undefined) {
    return new SqlError("42601", `syntax error at or near "${word}"`, {
      hint: `"${word}" is a reserved word of Redshift: put quotes around it, or choose another name.`,
    });
  }
  const found = PATTERNS.find(([pattern]) => pattern.test(words));
  return found === undefined ? undefined : unsupported(found[1]);
}

function wordOf({ kind, value }: Token): string {
  if (kind === "string") return "'";
  return kind === "name" ? '"' : value;
}
