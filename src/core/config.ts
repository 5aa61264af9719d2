/**
 * A project: the default export of `sluice.config.ts`, made with `defineConfig`, and the families
 * that it knows by name.
 */
import { checkResourceName, checkUnits } from "./check-declaration.ts";
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
  /**
   * How many units of each resource may be in use at once, in all queues and on all machines:
   * `{ redshift: 4 }`. `sluice resources set` changes one while tasks run.
   */
  readonly resources?: Readonly<Record<string, number>>;
}

export class Project {
  readonly families: ReadonlyMap<string, FamilyDefinition>;
  readonly schedules: readonly Schedule[];
  /** The limit of each resource by its name. */
  readonly resources: ReadonlyMap<string, number>;

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
    this.resources = new Map(Object.entries(config.resources ?? {}));
    for (const [name, limit] of this.resources) {
      checkResourceName(name, "defineConfig: resources");
      checkUnits(limit, `defineConfig: resources.${name}`);
    }
    for (const family of families.values()) checkResources(family, this.resources);
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

function checkResources(family: FamilyDefinition, limits: ReadonlyMap<string, number>): void {
  for (const { name, units } of family.resources) {
    const limit = limits.get(name);
    if (limit === undefined) {
      const known = [...limits.keys()];
      const hint =
        didYouMean(name, known) || ` Add it: resources: { ${JSON.stringify(name)}: ${units} }.`;
      throw new UsageError(
        "RESOURCE_UNKNOWN",
        `${family.name} needs the resource ${JSON.stringify(name)}, and defineConfig gives it no limit.${hint}`,
      );
    }
    if (units > limit) {
      throw new UsageError(
        "RESOURCE_TOO_SMALL",
        `${family.name} needs ${units} of ${name}, and its limit is ${limit}: its tasks would wait for ever. Raise the limit in defineConfig, or let it need less`,
      );
    }
  }
}

/** Declares a project. */
export function defineConfig(config: ProjectConfig): Project {
  return new Project(config);
}
