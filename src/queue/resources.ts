/**
 * Named resources: how many units are in use, by whom, and who waits for them; and their limits, which
 * can be changed while tasks run. Units are taken and given back by the scripts of the lease alone.
 */
import { checkLimit } from "../core/check-declaration.ts";
import type { Project } from "../core/config.ts";
import { UsageError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import type { Task } from "../core/task.ts";
import type { Engine } from "./engine.ts";
import type { Workplace } from "./runtime.ts";

/** What a task needs, as the scripts read it: `name units limit`, with the limit of the project. */
export function needsOf({ resources }: Project, { family }: Task): string {
  return family.resources
    .map(({ name, units }) => `${name} ${units} ${resources.get(name) ?? 0}`)
    .join(" ");
}

/** Lets those begin who wait for these units and can begin now. */
export async function callWaiting({ keys, scripts }: Engine, needs: string): Promise<void> {
  if (needs !== "") await scripts.call("call", keys.own, needs);
}

/** A task that holds units, or waits for them. */
export interface Claim {
  readonly id: string;
  readonly name: string;
  readonly units: number;
}

export interface Holder extends Claim {
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Its worker is silent: its units are given to others soon. */
  readonly silent: boolean;
}

export interface ResourceStatus {
  readonly name: string;
  readonly limit: number;
  /** The limit of the project; another one was set by an operator. */
  readonly configured: number;
  readonly inUse: number;
  readonly holders: readonly Holder[];
  /** In the order in which they will begin. */
  readonly waiting: readonly Claim[];
}

type Place = Pick<Workplace, "engine" | "project">;

/** Every resource of the project. Writes nothing. */
export async function resourceStatus(place: Place): Promise<readonly ResourceStatus[]> {
  return Promise.all(
    [...place.project.resources.keys()].sort().map((name) => statusOf(place, name)),
  );
}

/** One resource. Throws a `UsageError` when the project has none of that name. */
export async function statusOf(place: Place, name: string): Promise<ResourceStatus> {
  const { redis, keys } = place.engine;
  const configured = configuredLimit(place.project, name);
  const [limit, entries, line] = await Promise.all([
    redis.hget(keys.limits, name),
    redis.hgetall(keys.resource(name)),
    redis.zrange(keys.line(name), "0", "-1"),
  ]);
  const [holders, waiting] = await Promise.all([
    Promise.all(Object.entries(entries).map(([job, entry]) => holder(place.engine, job, entry))),
    Promise.all(line.map((job) => waiter(place.engine, job, name))),
  ]);
  const held = holders.filter((each) => each !== undefined).sort((a, b) => a.since - b.since);
  return {
    name,
    limit: Number(limit ?? configured),
    configured,
    inUse: held.reduce((sum, { units }) => sum + units, 0),
    holders: held,
    waiting: waiting.filter((each) => each !== undefined),
  };
}

export interface SetLimitOptions {
  /** For the audit: `user@host`. */
  readonly who: string;
  readonly reason: string;
}

/**
 * Sets the limit for every process, at once: 0 lets nothing begin, `undefined` goes back to the limit of
 * the project. What is at work goes on. Returns the limit that held before.
 */
export async function setLimit(
  { engine, project }: Place,
  name: string,
  limit: number | undefined,
  { who, reason }: SetLimitOptions,
): Promise<number> {
  const configured = configuredLimit(project, name);
  if (limit !== undefined) checkLimit(limit, name);
  const { scripts, keys } = engine;
  const text = limit === undefined ? "" : limit;
  return scripts.call("limit", keys.own, name, text, configured, who, reason);
}

function configuredLimit({ resources }: Project, name: string): number {
  const limit = resources.get(name);
  if (limit !== undefined) return limit;
  const known = [...resources.keys()];
  const hint = didYouMean(name, known) || ` Its resources: ${known.sort().join(", ") || "none"}.`;
  throw new UsageError(
    "RESOURCE_UNKNOWN",
    `The project has no resource ${JSON.stringify(name)}.${hint}`,
  );
}

/** Undefined when the attempt of this entry has ended: the entry counts no more. */
async function holder(
  { redis, keys }: Engine,
  job: string,
  entry: string,
): Promise<Holder | undefined> {
  const [attempt, units] = entry.split(" ");
  const id = idOf(job);
  const [[by, began, expires], name] = await Promise.all([
    redis.hmget(keys.attempt(id), "holder", "began", "expires"),
    redis.hget(job, "name"),
  ]);
  if (by !== attempt) return undefined;
  const silent = Number(expires) < Date.now();
  return { id, name: name ?? id, units: Number(units), since: Number(began), silent };
}

/** Undefined when its job was cancelled or removed: it leaves the line when it is its turn. */
async function waiter(
  { redis, keys }: Engine,
  job: string,
  resource: string,
): Promise<Claim | undefined> {
  const id = idOf(job);
  const [needs, name, ended] = await Promise.all([
    redis.hget(keys.attempt(id), "needs"),
    redis.hget(job, "name"),
    redis.hget(job, "finishedOn"),
  ]);
  const words = needs?.split(" ") ?? [];
  const at = words.indexOf(resource);
  if (name === null || ended !== null || at < 0) return undefined;
  return { id, name, units: Number(words[at + 1]) };
}

function idOf(job: string): string {
  return job.slice(job.lastIndexOf(":") + 1);
}
