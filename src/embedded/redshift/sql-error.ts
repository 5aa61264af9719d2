/** An error of the stand-in in Redshift's words: what a client gets as an ErrorResponse. */

export interface SqlErrorOptions extends ErrorOptions {
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
}

export class SqlError extends Error {
  /** SQLSTATE. */
  readonly code: string;
  readonly detail: string | undefined;
  readonly hint: string | undefined;

  constructor(code: string, message: string, { detail, hint, cause }: SqlErrorOptions = {}) {
    super(message, { cause });
    this.code = code;
    this.detail = detail;
    this.hint = hint;
  }

  /** As fields of the protocol. */
  get fields(): ReadonlyMap<string, string> {
    return new Map([
      ["S", "ERROR"],
      ["V", "ERROR"],
      ["C", this.code],
      ["M", this.message],
      ...(this.detail === undefined ? [] : ([["D", this.detail]] as const)),
      ...(this.hint === undefined ? [] : ([["H", this.hint]] as const)),
    ]);
  }
}

/** What Redshift does not have. */
export function unsupported(what: string): SqlError {
  return new SqlError("0A000", `${what} is not supported by Amazon Redshift`);
}

/** What Redshift has and the stand-in does not: refused, never ignored. */
export function notCarriedOut(what: string): SqlError {
  return new SqlError("0A000", `${what} is not carried out by the stand-in for Redshift`, {
    hint: "Amazon Redshift may accept it: try on a real cluster.",
  });
}

/** An error inside Redshift, with the internal code in its detail, as Redshift lays it out. */
export function internalError(message: string, errorCode: number, queryId: string): SqlError {
  const line = "  -----------------------------------------------";
  const detail = [
    "",
    line,
    `  error:  ${message}`,
    `  code:      ${errorCode}`,
    "  context:   ",
    `  query:     ${queryId}`,
    "  location:  stand-in",
    "  process:   padbmaster [pid=0]",
    line,
  ].join("\n");
  return new SqlError("XX000", message, { detail });
}
