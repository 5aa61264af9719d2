/** `GRANT` in both dialects: they differ in how they write who gets something. Pure text. */
import type { Dialect } from "../core/stores.ts";
import type { Quoting } from "./quoting.ts";

/** Those that both servers have. `usage` and `create` are about schemas. */
export const PRIVILEGES = [
  "select",
  "insert",
  "update",
  "delete",
  "truncate",
  "references",
  "usage",
  "create",
  "all",
] as const;

/** What is granted on: a table, a schema, or every table that a schema has now. */
export type Granted =
  | { readonly table: string }
  | { readonly schema: string }
  | { readonly tablesIn: string };

/** Who gets it. Postgres has roles only: there, the three with a name are the same. */
export type Grantee =
  | { readonly kind: "user" | "group" | "role"; readonly name: string }
  | { readonly kind: "public" };

export interface Grants {
  readonly privileges: readonly (typeof PRIVILEGES)[number][];
  readonly on: Granted;
  readonly to: readonly Grantee[];
}

/** Redshift's keyword before a name. */
const KEYWORDS = { user: "", group: "GROUP ", role: "ROLE " } as const;

/** One statement for each who gets it: Redshift mixes users, groups and roles in none. */
export function grant(
  { privileges, on, to }: Grants,
  dialect: Dialect,
  { quoteTable, quoteIdentifier }: Quoting,
): string[] {
  const grantee = (who: Grantee): string => {
    if (who.kind === "public") return "PUBLIC";
    return `${dialect === "redshift" ? KEYWORDS[who.kind] : ""}${quoteIdentifier(who.name)}`;
  };
  const which = privileges.map((privilege) => privilege.toUpperCase()).join(", ");
  const what = objectOf(on, { quoteTable, quoteIdentifier });
  return to.map((who) => `GRANT ${which} ON ${what} TO ${grantee(who)}`);
}

function objectOf(
  on: Granted,
  { quoteTable, quoteIdentifier }: Pick<Quoting, "quoteTable" | "quoteIdentifier">,
): string {
  if ("table" in on) return `TABLE ${quoteTable(on.table)}`;
  if ("schema" in on) return `SCHEMA ${quoteIdentifier(on.schema)}`;
  return `ALL TABLES IN SCHEMA ${quoteIdentifier(on.tablesIn)}`;
}
