/**
 * What was wrong with a row that COPY refused. Redshift's own error only says where to look; the
 * place to look depends on the kind of cluster. Asked on the same session, after its ROLLBACK.
 */
import { DatabaseError } from "pg";
import { messageOf, PermanentError } from "../../core/errors.ts";
import { LOAD_ERROR, LOAD_ERROR_WITH_VALUE } from "../../sql/redshift/catalog.ts";
import type { Run } from "./catalog.ts";

const MAX_VALUE = 200;

/** Whether the error is one of a load whose details are in a table. */
function pointsElsewhere(error: unknown): error is DatabaseError {
  return (
    error instanceof DatabaseError &&
    /(stl|sys)_load_error|load into table/i.test(`${error.message} ${error.detail ?? ""}`)
  );
}

/** The error to throw for a COPY that failed: with file, line, column and reason, when they are found. */
export async function explainLoad(error: unknown, table: string, run: Run): Promise<unknown> {
  if (!pointsElsewhere(error)) return error;
  try {
    await run("ROLLBACK");
  } catch {
    return error;
  }
  const details = { ...(await look(run, LOAD_ERROR)), ...(await look(run, LOAD_ERROR_WITH_VALUE)) };
  if (details["error_message"] === undefined) return error;
  const text = (name: string): string => {
    const found = details[name];
    return typeof found === "number"
      ? String(found)
      : typeof found === "string"
        ? found.trim()
        : "";
  };
  const value = details["raw_field_value"] === undefined ? undefined : text("raw_field_value");
  return new PermanentError(
    "BAD_DATA",
    [
      `the load into ${table} was refused: ${text("error_message")} (code ${text("error_code")}).`,
      `Where: ${text("file_name")}, line ${text("line_number")}, column "${text("column_name")}" of type ${text("column_type")}${value === undefined ? "" : `, value ${JSON.stringify(shorten(value))}`}.`,
      "Correct the row, or the type of the column; nothing was committed.",
    ].join(" "),
    {
      cause: error,
      fields: {
        table,
        file: text("file_name"),
        line: Number(text("line_number")),
        column: text("column_name"),
        reason: text("error_message"),
      },
    },
  );
}

/** No row of a table that may not be read, or that does not have it yet. */
async function look(run: Run, statement: string): Promise<Record<string, unknown>> {
  try {
    return (await run(statement)).rows[0] ?? {};
  } catch (error) {
    return { looked: messageOf(error) };
  }
}

function shorten(text: string): string {
  return text.length <= MAX_VALUE ? text : `${text.slice(0, MAX_VALUE)}…`;
}
