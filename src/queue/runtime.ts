/** What an attempt needs of its process. Built once at the entry point and passed down. */
import type { Project } from "../core/config.ts";
import type { EventHub } from "../core/events.ts";
import type { Stores } from "../core/stores.ts";
import type { Engine } from "./engine.ts";
import type { LeaseSettings } from "./lease.ts";

export interface RuntimeSettings extends LeaseSettings {
  /** Crashes of one task after which it fails with "crashed N times". */
  readonly crashesAllowed: number;
  /** How often one task's run may wait for tasks that it yielded, and start again. */
  readonly restartsAllowed: number;
  /** Milliseconds that a run has to end after its signal aborted, before it is given up. */
  readonly abortGrace: number;
  /** Milliseconds until a job of another version of the project is looked at again. */
  readonly versionPoll: number;
  /** Milliseconds between two looks at the output of an external task. */
  readonly externalPoll: number;
}

/** What planning and submitting need. */
export interface Workplace {
  readonly engine: Engine;
  readonly project: Project;
  readonly stores: Stores;
}

export interface Runtime extends Workplace {
  readonly events: EventHub;
  readonly settings: RuntimeSettings;
}

export const RUNTIME_DEFAULTS: RuntimeSettings = {
  // Long enough for a failover of Redis, short enough that a crashed COPY starts again in minutes.
  leaseDuration: 60_000,
  crashesAllowed: 3,
  restartsAllowed: 1_000,
  abortGrace: 10_000,
  versionPoll: 30_000,
  externalPoll: 60_000,
};
