/**
 * Tells whether the process that wrote a file is still the one behind its pid. A pid alone is not
 * enough: it is reused, and a zombie (there are many in containers whose first process does not reap)
 * answers `kill(pid, 0)` like a live process.
 */

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Start time of a live process, as text to compare; undefined for one that is gone or a zombie. */
export function processIdentity(pid: number): string | undefined {
  return process.platform === "linux" ? identityFromProc(pid) : identityFromPs(pid);
}

/** The pid in `record` (as `ownerRecord` writes it) if that very process is still alive. */
export function livePid(record: string): number | undefined {
  const [pid, ...identity] = record.trim().split(" ");
  const number = Number(pid);
  if (!Number.isSafeInteger(number) || number <= 0) return undefined;
  return processIdentity(number) === identity.join(" ") ? number : undefined;
}

/** One line that names a live process for ever: its pid and its start time. */
export function ownerRecord(pid: number): string {
  return `${pid} ${processIdentity(pid) ?? "gone"}\n`;
}

function identityFromProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command name may hold spaces and brackets; fields 3 (state) to 22 (start time) follow it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function identityFromPs(pid: number): string | undefined {
  try {
    const [state, ...started] = execFileSync("ps", ["-o", "state=,lstart=", "-p", String(pid)], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    })
      .trim()
      .split(/\s+/);
    return state === undefined || state.startsWith("Z") ? undefined : started.join(" ");
  } catch {
    return undefined;
  }
}
