/**
 * The user that Postgres runs as. Postgres refuses root, and `initdb` refuses a user without an entry
 * in the user database. No user is ever created.
 */

import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { UsageError } from "../../core/errors.ts";
import type { Account } from "../process-guard.ts";

/** Undefined: our own user will do. */
export function postgresAccount(passwd: string = "/etc/passwd"): Account | undefined {
  if (process.getuid?.() !== 0) {
    assertKnownUser();
    return undefined;
  }
  const users = readFileSync(passwd, "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  for (const name of ["postgres", "nobody"]) {
    const user = users.find((fields) => fields[0] === name);
    if (user !== undefined) return { uid: Number(user[2]), gid: Number(user[3]) };
  }
  throw new UsageError(
    "NO_POSTGRES_USER",
    `Postgres does not run as root, and ${passwd} has neither a user "postgres" nor "nobody": run as a normal user, or set SOURCE_URL and WAREHOUSE_URL`,
  );
}

function assertKnownUser(): void {
  try {
    userInfo();
  } catch (cause) {
    throw new UsageError(
      "NO_POSTGRES_USER",
      `Postgres needs a user with a name, and user ${process.getuid?.()} has no entry in /etc/passwd: run as a user that has one, or set SOURCE_URL and WAREHOUSE_URL`,
      { cause },
    );
  }
}
