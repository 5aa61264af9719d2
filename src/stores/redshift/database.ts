/** A Redshift over Postgres's protocol: labelled sessions in UTC, cancelled before they are ended. */
import type { Secret } from "../../core/secret.ts";
import { beginSession } from "../../sql/redshift/settings.ts";
import { sessionLabel } from "../postgres/address.ts";
import { type DatabaseOptions, SqlDatabase } from "../postgres/database.ts";
import type { ErrorContext } from "../postgres/errors.ts";
import type { Session } from "../postgres/session.ts";
import type { S3Access } from "../../sql/redshift/copy.ts";
import { RedshiftAddress } from "./address.ts";
import { explainRedshiftError } from "./errors.ts";
import { findStall } from "./find-stall.ts";

export class RedshiftDatabase extends SqlDatabase {
  readonly access: S3Access;
  readonly statementTimeout: number | undefined;

  constructor(url: string | Secret, options: DatabaseOptions = {}) {
    const address = RedshiftAddress.parse(url, "WAREHOUSE_URL");
    super(address, "warehouse", { ...options, cancelFirst: true, findStall });
    this.access = address.access;
    this.statementTimeout = address.statementTimeout;
  }

  /** The statements that begin a session with this label. */
  beginning(label: string): readonly string[] {
    return beginSession(sessionLabel(label), this.statementTimeout);
  }

  protected override async prepare(session: Session, label: string): Promise<void> {
    for (const statement of this.beginning(label)) await session.run(statement);
  }

  protected override async explain(thrown: unknown, context: ErrorContext): Promise<Error> {
    return await explainRedshiftError(thrown, context);
  }
}
