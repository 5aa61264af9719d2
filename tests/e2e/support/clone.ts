/**
 * The repository as a newcomer has it, in a folder of its own, with this one's installed packages. What
 * a command leaves running there can be found.
 */
import { cpSync, readdirSync, readFileSync, readlinkSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { expect } from "vitest";
import { tempDir } from "../../support/services.ts";
import { REPOSITORY } from "./command.ts";
import { until } from "./until.ts";

/** What `.gitignore` names, and git's own. Git is not asked: it refuses folders of another user. */
const NOT_CLONED = new Set([".git", "node_modules", ".sluice", "dist", "coverage"]);

export function cloneRepository(): string {
  const folder = join(tempDir(), "sluice");
  cpSync(REPOSITORY, folder, {
    recursive: true,
    filter: (path) => !NOT_CLONED.has(basename(path)),
  });
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

/** Waits until no process of a folder is left; fails with their command lines. */
export async function nothingLeft(folder: string, seconds: number): Promise<void> {
  await until("nothing runs", () => processesIn(folder).length === 0, seconds).catch(() => {});
  expect(processesIn(folder)).toEqual([]);
}
