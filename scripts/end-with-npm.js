/**
 * A command that npm started ends when npm does. npm passes signals on, except the one that it
 * cannot see: after `kill -9` of npm the command would go on by itself, and keep its servers.
 */

/** Exits when the parent process, npm, has gone. Does nothing when npm is not the parent. */
export function endWithNpm() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(137);
  }, 200).unref();
}
