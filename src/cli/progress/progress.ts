/**
 * How a run goes, while it goes: a block that is redrawn in place on a terminal, plain lines
 * elsewhere (pipes, CI, `TERM=dumb`, `NO_COLOR`). Only shows: the caller looks at the tasks.
 */
import type { Task } from "../../core/task.ts";
import type { Details } from "../../queue/details.ts";
import type { Watched } from "../../queue/watch.ts";
import { LiveProgress } from "./live-progress.ts";
import { PlainProgress } from "./plain-progress.ts";

/** What is needed of a terminal or a file. */
export interface ProgressStream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

/** Rows, bytes and a message of running and finished tasks, by task id. */
export type TaskDetails = ReadonlyMap<string, Details>;

export interface Progress {
  readonly update: (watched: Watched, details?: TaskDetails) => void;
  /** A line that stays. */
  readonly note: (line: string) => void;
  /** Must be called, also after an error: the terminal's cursor is hidden until then. */
  readonly close: () => void;
}

export interface ProgressOptions {
  readonly stream: ProgressStream;
  /** False for plain lines on a terminal too. */
  readonly color: boolean;
  readonly root: Task;
  /** Milliseconds since 1970. Default: `Date.now`. */
  readonly clock?: () => number;
}

export function createProgress({
  stream,
  color,
  root,
  clock = Date.now,
}: ProgressOptions): Progress {
  if (stream.isTTY === true && color) return new LiveProgress(stream, root, clock);
  return new PlainProgress(stream, clock);
}
