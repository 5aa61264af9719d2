/** SET: parameters that Redshift knows. Those of Postgres alone are refused as Redshift refuses them. */

import { notCarriedOut, SqlError } from "../sql-error.ts";
import type { Cursor } from "./cursor.ts";
import type { Plan } from "./plan.ts";
import { literal } from "./token.ts";

/** Known to both, and of the same meaning. */
const SHARED = new Set([
  "client_encoding",
  "datestyle",
  "extra_float_digits",
  "search_path",
  "statement_timeout",
  "timezone",
]);

/** They change how fast Redshift is, or how it groups or logs its work; never what a statement means. */
const WITHOUT_EFFECT = new Set([
  "analyze_threshold_percent",
  "application_name",
  "enable_result_cache_for_session",
  "max_cursor_result_set_size",
  "mv_enable_aqmv_for_session",
  "wlm_query_slot_count",
]);

const OTHERS = new Set([
  "case_super_null_on_error",
  "cast_super_null_on_error",
  "describe_field_name_in_uppercase",
  "enable_case_sensitive_identifier",
  "enable_case_sensitive_super_attribute",
  "enable_numeric_rounding",
  "enable_vacuum_boost",
  "error_on_nondeterministic_update",
  "interval_forbid_composite_literals",
  "json_serialization_enable",
  "json_serialization_parse_nested_strings",
  "navigate_super_null_on_error",
  "parse_super_null_on_error",
  "spectrum_query_maxerror",
  "stored_proc_log_min_messages",
  "use_fips_ssl",
]);

const NOTHING = "DO $$ BEGIN END $$";

/** The part of the statement after SET; `sql` is the whole of it. */
export function setParameter(cursor: Cursor, sql: string): Plan {
  cursor.takeOneOf("SESSION", "LOCAL");
  // SET TRANSACTION …, SET SESSION CHARACTERISTICS …, SET SESSION AUTHORIZATION …, SET TIME ZONE …
  if (
    cursor.takeOneOf("TRANSACTION", "CHARACTERISTICS", "AUTHORIZATION") !== undefined ||
    cursor.takeWords("TIME", "ZONE")
  ) {
    return { kind: "forward", sql };
  }
  const name = cursor.name();
  if (!cursor.takeSymbol("=")) cursor.expectWord("TO");
  if (name === "query_group") return label(cursor);
  if (SHARED.has(name)) return { kind: "forward", sql };
  if (WITHOUT_EFFECT.has(name)) return { kind: "forward", sql: NOTHING, tag: "SET" };
  if (OTHERS.has(name)) throw notCarriedOut(`SET ${name}`);
  throw new SqlError("42704", `unrecognized configuration parameter "${name}"`);
}

/** Other sessions see it, as they see the label of a query in Redshift: Postgres shows 63 bytes. */
function label(cursor: Cursor): Plan {
  const token = cursor.take();
  cursor.expectEnd();
  const value = token.kind === "word" ? token.value.toLowerCase() : token.value;
  if (!/^[\x20-\x7e]{0,63}$/.test(value)) {
    throw notCarriedOut("SET query_group to more than 63 printable ASCII characters");
  }
  return { kind: "forward", sql: `SET application_name TO ${literal(value)}` };
}
