/** The statement builders of each dialect, behind one shape: a task asks by `transaction.dialect`. */
import type { Dialect } from "../core/stores.ts";
import { holds } from "./postgres/column-types.ts";
import * as postgres from "./postgres/write.ts";

const POSTGRES = { ...postgres, holds };

export type Statements = typeof POSTGRES;

const BY_DIALECT: Readonly<Record<Dialect, Statements>> = { postgres: POSTGRES };

export function statementsFor(dialect: Dialect): Statements {
  return BY_DIALECT[dialect];
}
