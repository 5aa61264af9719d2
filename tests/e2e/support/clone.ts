/**
 * The repository as a newcomer has it, in a folder of its own: the files that git knows or would take,
 * with this one's installed packages. What a command leaves running there can be found.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, readlinkSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { tempDir } from "../../support/services.ts";
import { REPOSITORY } from "./command.ts";

export function cloneRepository(): string {
  const folder = join(tempDir(), "sluice");
  const listed = execFileSync("git", ["ls-files", "-z", "-co", "--exclude-standard"], {
    cwd: REPOSITORY,
    encoding: "utf8",
  });
  for (const file of listed.split("\0")) {
    const from = join(REPOSITORY, file);
    // One that is deleted and not committed is still listed.
    if (file !== "" && existsSync(from)) cpSync(from, join(folder, file));
  }
  symlinkSync(join(REPOSITORY, "node_modules"), join(folder, "node_modules"));
  return folder;
}

/** The command lines of all processes that were started from a folder, or are in it. Linux only. */
export function processesIn(folder: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
        const inside = readlinkSync(`/proc/${pid}/cwd`).startsWith(folder);
        return inside || command.includes(folder) ? [`${pid} ${command}`] : [];
      } catch {
        return []; // It ended while we looked.
      }
    });
}
