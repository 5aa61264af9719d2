/**
 * Finds a Redis or Valkey server program on this machine. It looks and starts nothing, and it never
 * settles for anything else: BullMQ needs the real one.
 */

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Environment } from "../cache-folder.ts";

/** A server program, and the variables it needs to run. */
export interface RedisProgram {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
}

const names = ["redis-server", "valkey-server"];
const homebrew = ["/opt/homebrew/bin", "/usr/local/bin", "/home/linuxbrew/.linuxbrew/bin"];

/** The folders to look in: the PATH, then Homebrew's, which is often missing from it. */
export function redisFolders(env: Environment): readonly string[] {
  return [...(env["PATH"] ?? "").split(delimiter).filter(Boolean), ...homebrew];
}

export function findRedis(folders: readonly string[]): RedisProgram | undefined {
  const command = names
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find(isExecutable);
  return command === undefined ? undefined : { command, env: {} };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
