/** What is done for one statement of a client. */

import type { SqlError } from "../sql-error.ts";
import type { CopyStatement } from "./copy-statement.ts";
import type { UnloadStatement } from "./unload-statement.ts";

export type Plan =
  /** Given to Postgres. */
  | {
      readonly kind: "forward";
      readonly sql: string;
      /** The command tag, when it is not Postgres's. */
      readonly tag?: string;
      /** Results before this one are the stand-in's own business. */
      readonly resultAt?: number;
      /** Tables that it writes to. */
      readonly writes?: string | undefined;
    }
  /** Given to Postgres, and the running transaction is committed. */
  | { readonly kind: "truncate"; readonly sql: string; readonly writes: string }
  /** Given to Postgres, and refused within a transaction. */
  | { readonly kind: "alone"; readonly sql: string; readonly tag: string }
  | { readonly kind: "copy"; readonly statement: CopyStatement }
  | { readonly kind: "unload"; readonly statement: UnloadStatement }
  /** Writes to the table shall fail with error 1023, the next few times. */
  | { readonly kind: "conflict"; readonly table: string; readonly times: number }
  | { readonly kind: "refuse"; readonly error: SqlError };

/** What a session knows of itself, which statements may ask for. */
export interface SessionFacts {
  readonly lastCopyId: string;
  readonly lastCopyCount: number;
  readonly lastUnloadId: string;
  readonly lastUnloadCount: number;
}
