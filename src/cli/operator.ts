/** Who gives a command: `ann@host`, for the record of runs. */
import { hostname, userInfo } from "node:os";

export function operatorName(): string {
  return `${userName()}@${hostname()}`;
}

/** A container may run under a number that no user has. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? "unknown"}`;
  }
}
