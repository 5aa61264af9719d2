/**
 * One development stack per folder: two Redis servers on one append-only file would corrupt it. The
 * lock names its owner's process, so one left by a killed command is recognised and replaced.
 */

import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../core/errors.ts";
import { livePid, ownerRecord } from "./process-identity.ts";

export interface FolderLock {
  readonly release: () => void;
}

/** Throws `UsageError` when a live process holds the folder. */
export function lockFolder(dir: string): FolderLock {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const lock = join(dir, "stack.lock");
  const mine = `${lock}.${process.pid}`;
  const record = ownerRecord(process.pid);
  writeFileSync(mine, record);
  try {
    // A link appears with its content, so nobody ever reads a half-written lock.
    while (!linked(mine, lock)) evictDeadOwner(lock, dir);
  } finally {
    rmSync(mine, { force: true });
  }
  return {
    release: () => {
      if (contentOf(lock) === record) rmSync(lock);
    },
  };
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  }
}

function evictDeadOwner(lock: string, dir: string): void {
  const found = contentOf(lock);
  if (found === undefined) return;
  const owner = livePid(found);
  if (owner !== undefined) {
    throw new UsageError(
      "FOLDER_IN_USE",
      `${dir} is in use by another command (pid ${owner}): wait for it, end it, or choose another folder`,
    );
  }
  // Taken aside, not deleted: another starter may have replaced it since we read it.
  const aside = `${lock}.stale.${process.pid}`;
  try {
    renameSync(lock, aside);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return;
    throw error;
  }
  if (contentOf(aside) !== found) linked(aside, lock);
  rmSync(aside, { force: true });
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
