/** What asks a command to stop: Ctrl-C, SIGTERM, or the death of the process that started it. */

/** A worker that follows its parent's death is gone after this many milliseconds. */
const FOLLOW_DEADLINE = 800;

/** A second Ctrl-C ends at once. */
export function stopOnSignals(stopped: AbortController): void {
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => stopped.abort());
  }
}

/** Called before anything else is loaded: the parent may be gone before that is done. */
export function stopWithInput(stopped: AbortController): void {
  process.stdin.resume().once("end", () => {
    stopped.abort();
    setTimeout(() => process.exit(0), FOLLOW_DEADLINE).unref();
  });
}
