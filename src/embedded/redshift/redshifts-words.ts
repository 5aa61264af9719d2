/** Postgres's errors as Redshift says them, without what only makes sense for Postgres's own text. */

import type { BackendError } from "./backend.ts";
import { serializationError } from "./conflicts.ts";

/** Severity, code, message, detail, hint, context, and what the error is about. */
const KEPT = new Set("SVCMDHWstcdn");

const SERIALIZATION_FAILURE = "40001";

export function inRedshiftsWords({ fields }: BackendError): ReadonlyMap<string, string> {
  if (fields.get("C") === SERIALIZATION_FAILURE) return serializationError("unknown", 0).fields;
  return new Map([...fields].filter(([letter]) => KEPT.has(letter)));
}
