/**
 * Where downloaded programs are kept between runs: the user's cache folder, or a private temporary
 * folder for users who have none. It never returns a folder that another user could write to,
 * because programs are run from it.
 */

import { accessSync, constants, lstatSync, mkdirSync, mkdtempSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

/** The part of a process's environment that the development stack reads. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** An existing folder that only we can write to. */
export function cacheFolder(env: Environment): string {
  const user = process.getuid?.() ?? 0;
  const candidates = [
    ...(env["XDG_CACHE_HOME"] ? [join(env["XDG_CACHE_HOME"], "sluice")] : []),
    join(homedir(), ".cache", "sluice"),
    join(tmpdir(), `sluice-cache-${user}`),
  ];
  return candidates.find(isPrivate) ?? mkdtempSync(join(tmpdir(), "sluice-cache-"));
}

function isPrivate(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK);
    const { uid, mode } = lstatSync(folder);
    return uid === (process.getuid?.() ?? uid) && (mode & 0o022) === 0;
  } catch {
    return false;
  }
}
