/** Grants privileges. `grant` is a step; `Grant` is the family around it. It revokes nothing. */
import { UsageError } from "../core/errors.ts";
import { p } from "../core/params/p.ts";
import type { Step } from "../core/stores.ts";
import { type Granted, grant as grantStatements, type Grants, PRIVILEGES } from "../sql/grant.ts";
import { statementsFor } from "../sql/statements.ts";
import { grantee } from "./definition-params.ts";
import { sqlFamily } from "./sql-family.ts";

/**
 * A step that grants privileges on a table, a schema, or all tables that a schema has now. To grant what
 * is there already changes nothing.
 *
 * ```ts
 * grant({
 *   privileges: ["select"],
 *   on: { table: "mart.visits" },
 *   to: [{ kind: "group", name: "analysts" }],
 * });
 * ```
 */
export function grant(grants: Grants): Step {
  if (grants.privileges.length === 0 || grants.to.length === 0) {
    throw new UsageError(
      "GRANT_EMPTY",
      "grant: give at least one privilege, and at least one user, group or role to grant it to",
    );
  }
  return async (transaction) => {
    const { dialect } = transaction;
    for (const sql of grantStatements(grants, dialect, statementsFor(dialect))) {
      await transaction.execute(sql);
    }
    return 0;
  };
}

/**
 * Grants `privileges` on `table`, on `schema`, or on all tables in the schema `tablesIn`, to the list
 * `to`: `alice`, `group:analysts`, `role:reader` or `public`. `date` sets days apart.
 */
export const Grant = sqlFamily({
  name: "Grant",
  params: {
    privileges: p.list(p.choice(PRIVILEGES)),
    to: p.list(grantee),
    table: p.table().optional(),
    schema: p.identifier().optional(),
    tablesIn: p.identifier().optional(),
    date: p.date(),
  },
  table: (params) => {
    const on = grantedOf(params);
    return "table" in on ? on.table : "schema" in on ? on.schema : on.tablesIn;
  },
  steps: ({ params }) => [
    grant({ privileges: params.privileges, on: grantedOf(params), to: params.to }),
  ],
});

function grantedOf({
  table,
  schema,
  tablesIn,
}: {
  readonly table: string | undefined;
  readonly schema: string | undefined;
  readonly tablesIn: string | undefined;
}): Granted {
  const given: Granted[] = [
    ...(table === undefined ? [] : [{ table }]),
    ...(schema === undefined ? [] : [{ schema }]),
    ...(tablesIn === undefined ? [] : [{ tablesIn }]),
  ];
  const [one] = given;
  if (one !== undefined && given.length === 1) return one;
  throw new UsageError(
    "GRANT_OBJECT",
    `Grant: expected exactly one of table, schema and tablesIn, got ${given.length === 0 ? "none" : given.map((each) => Object.keys(each)[0]).join(" and ")}`,
  );
}
