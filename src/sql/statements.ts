/** The statement builders of each dialect, behind one shape: a task asks by `transaction.dialect`. */
import type { Column, Dialect } from "../core/stores.ts";
import { holds as holdsPostgres } from "./postgres/column-types.ts";
import * as postgresQuoting from "./postgres/quote.ts";
import * as postgres from "./postgres/write.ts";
import type { Quoting } from "./quoting.ts";
import { holds as holdsRedshift } from "./redshift/column-types.ts";
import * as redshiftQuoting from "./redshift/quote.ts";
import * as redshift from "./redshift/write.ts";
import type { Slice } from "./slice.ts";

export interface Statements extends Quoting {
  /** The table's schema, when its name has one. */
  createSchema(this: void, table: string): readonly string[];
  /** The schema, when the name has one, and the table. */
  createTable(this: void, table: string, columns: readonly Column[]): readonly string[];
  /** Keeps other writers out until the transaction ends. */
  lockTable(this: void, table: string): string;
  deleteRows(this: void, table: string, slice?: Slice): string;
  countRows(this: void, table: string, slice?: Slice): string;
  insertSelect(this: void, table: string, columns: readonly Column[], select: string): string;
  /** Whether two names are one in the catalog: Redshift folds them to lower case. */
  sameName(this: void, one: string, other: string): boolean;
  /** Whether every value of the type `from` can be held by `to`, unchanged. */
  holds(this: void, to: string, from: string): boolean;
}

const BY_DIALECT: Readonly<Record<Dialect, Statements>> = {
  postgres: {
    ...postgresQuoting,
    ...postgres,
    holds: holdsPostgres,
    sameName: (one, other) => one === other,
  },
  redshift: {
    ...redshiftQuoting,
    ...redshift,
    holds: holdsRedshift,
    sameName: (one, other) => one.toLowerCase() === other.toLowerCase(),
  },
};

export function statementsFor(dialect: Dialect): Statements {
  return BY_DIALECT[dialect];
}
