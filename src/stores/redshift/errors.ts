/**
 * Redshift's errors in our words. Most are Postgres's; what Redshift adds comes as XX000 with an internal
 * code in the text or the detail, so those are told apart by what they say.
 */
import { DatabaseError } from "pg";
import { SluiceError } from "../../core/errors.ts";
import {
  type ErrorContext,
  explainPostgresError,
  isConnectionProblem,
} from "../postgres/errors.ts";
import { lostToAnother as lostInPostgres } from "../postgres/errors.ts";

/** 1023: serializable isolation violation. 1018: the table was made or dropped after the snapshot. */
const CONFLICT =
  /\b(?:code:\s*|ERROR:\s*)?(?:1023|1018)\b|serializable isolation violation|concurrent transaction/i;

/** A load or unload could not get at S3 just then. */
const S3_TROUBLE =
  /\bcode:\s*(?:15001|15005)\b|S3ServiceException.*(?:503|SlowDown|InternalError|500)/i;

/** Whether the transaction may be repeated at once as a whole: it lost to another, or its connection. */
export function mayRepeat(thrown: unknown): boolean {
  return lostToAnother(thrown) || isConnectionProblem(thrown);
}

function lostToAnother(thrown: unknown): boolean {
  return lostInPostgres(thrown) || (isInternal(thrown) && CONFLICT.test(textOf(thrown)));
}

/** Gives the `SluiceError` for what a call threw; ours pass through. */
export async function explainRedshiftError(thrown: unknown, context: ErrorContext): Promise<Error> {
  if (lostToAnother(thrown) && thrown instanceof DatabaseError) {
    return new SluiceError(
      "SERIALIZATION_CONFLICT",
      `${context.doing}: the transaction lost to another one and was rolled back: ${thrown.message}. It will be tried again.`,
      { cause: thrown, fields: { address: context.address } },
    );
  }
  if (isInternal(thrown) && S3_TROUBLE.test(textOf(thrown))) {
    return new SluiceError(
      "REDSHIFT_S3_UNREACHABLE",
      `${context.doing}: Redshift could not reach S3: ${thrown.message}. It will be tried again.`,
      { cause: thrown, fields: { address: context.address } },
    );
  }
  return await explainPostgresError(thrown, context);
}

function isInternal(thrown: unknown): thrown is DatabaseError {
  return (
    thrown instanceof DatabaseError && thrown.code !== undefined && thrown.code.startsWith("XX")
  );
}

function textOf({ message, detail }: DatabaseError): string {
  return `${message}\n${detail ?? ""}`;
}
