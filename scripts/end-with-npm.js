/**
 * A command that npm started ends when npm does. npm passes signals on, except the one that it
 * cannot see: after `kill -9` of npm the command would go on by itself, and keep its servers.
 */

import { readFileSync } from "node:fs";

/** Exits when npm has gone. Does nothing when the command was not started by npm. */
export function endWithNpm() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const ancestors = npmAncestors();
  setInterval(() => {
    if (npmAncestors() !== ancestors) process.exit(137);
  }, 200).unref();
}

/**
 * The pids up to npm. npm runs commands by `sh -c`; some shells stay in between and survive npm, so
 * then npm is our grandparent. Where there is no /proc (macOS) the shell gives way to the command.
 */
function npmAncestors() {
  const stat = readIfPresent(`/proc/${process.ppid}/stat`);
  // "pid (name) state parent …"
  const [, name, grandparent] = /\((.*)\) \S (\d+)/.exec(stat) ?? [];
  return name?.endsWith("sh") ? `${process.ppid} ${grandparent}` : `${process.ppid}`;
}

function readIfPresent(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
