/**
 * Errors of Sluice: one base class, a stable `code`, and a message that says what happened,
 * to which task, and what to do next. Whether an error is worth a retry is decided once, where it
 * is born, by its class: `PermanentError` never is.
 */

interface SluiceErrorOptions extends ErrorOptions {
  /** Values for logs and pages; never secrets. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

export class SluiceError extends Error {
  /** Stable, upper case, documented: what programs match on. */
  readonly code: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Whether running the same attempt again could help. */
  readonly retryable: boolean = true;

  constructor(code: string, message: string, options: SluiceErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.fields = options.fields ?? {};
  }
}

/** Running again cannot help: bad data, a missing table, a task that breaks its own contract. */
export class PermanentError extends SluiceError {
  override readonly retryable = false;
}

/** What the user typed or declared is wrong. The CLI exits with 2. */
export class UsageError extends PermanentError {}

/** A service (Redis, Postgres, S3) cannot be reached or refuses us. The CLI exits with 3. */
export class UnreachableError extends SluiceError {}

/** The message of anything thrown, also when it is not an `Error`. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.message === "") {
    return thrown.errors.map(messageOf).join("; ");
  }
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Whether an error deserves another attempt. Unknown errors do. */
export function isRetryable(thrown: unknown): boolean {
  return !(thrown instanceof SluiceError) || thrown.retryable;
}
