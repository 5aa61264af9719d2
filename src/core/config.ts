/**
 * A project: the default export of `sluice.config.ts`, made with `defineConfig`, and the families
 * that it knows by name.
 */
import { didYouMean, nearest } from "./nearest.ts";
import { UsageError } from "./errors.ts";
import { isFamily, type FamilyDefinition } from "./task.ts";
import type { Schedule } from "./schedule.ts";

export interface ProjectConfig {
  /**
   * Every family that may run: an array, or a module (`import * as tasks from "./tasks.ts"`), whose
   * exports that are no families are passed over.
   */
  readonly tasks: readonly FamilyDefinition[] | Readonly<Record<string, unknown>>;
  readonly schedules?: readonly Schedule[];
}

export class Project {
  readonly families: ReadonlyMap<string, FamilyDefinition>;
  readonly schedules: readonly Schedule[];

  constructor(config: ProjectConfig) {
    const families = new Map<string, FamilyDefinition>();
    for (const family of Object.values<unknown>(config.tasks).filter(isFamily)) {
      const known = families.get(family.name);
      if (known !== undefined && known !== family) {
        throw new UsageError(
          "FAMILY_TWICE",
          `Two families are named ${family.name}: give one of them another name, or their tasks would share ids`,
        );
      }
      families.set(family.name, family);
    }
    this.families = families;
    this.schedules = config.schedules ?? [];
    const ids = new Set<string>();
    for (const { id } of this.schedules) {
      if (ids.has(id)) {
        throw new UsageError(
          "SCHEDULE_TWICE",
          `Two schedules are named ${id}: one root has one schedule; use a cron pattern for several times a day`,
        );
      }
      ids.add(id);
    }
  }

  /** The family with this name. Unknown: the nearest one is suggested. */
  family(name: string): FamilyDefinition {
    const family = this.families.get(name);
    if (family !== undefined) return family;
    const known = [...this.families.keys()];
    const hint =
      nearest(name, known) === undefined
        ? ` Known: ${known.sort().join(", ") || "none"}.`
        : didYouMean(name, known);
    throw new UsageError("FAMILY_UNKNOWN", `Unknown task ${JSON.stringify(name)}.${hint}`);
  }

  /** The queues that the families' jobs wait in. */
  get queues(): readonly string[] {
    return [...new Set([...this.families.values()].map(({ queue }) => queue))].sort();
  }
}

/** Declares a project. */
export function defineConfig(config: ProjectConfig): Project {
  return new Project(config);
}
