/** What every command gets: the outside world, read once by `main.ts`. */
import type { Project } from "../core/config.ts";
import type { Task } from "../core/task.ts";
import type { Environment } from "../settings.ts";
import type { Confirm } from "./confirm.ts";
import type { Terminal } from "./terminal.ts";

export interface Session {
  readonly environment: Environment;
  readonly terminal: Terminal;
  /** Aborts on Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  /** Asks a person; absent when there is none. */
  readonly confirm?: Confirm | undefined;
}

export interface ConfigOption {
  readonly config: string;
}

/** A task as a person named it. */
export interface Named {
  readonly project: Project;
  readonly root: Task;
}
