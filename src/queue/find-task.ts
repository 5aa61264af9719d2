/** The task behind an id that a person typed or copied: from its job, or from what is remembered of it. */
import type { Project } from "../core/config.ts";
import { UsageError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import { isSignificant } from "../core/params/codec.ts";
import type { Task } from "../core/task.ts";
import type { Engine } from "./engine.ts";
import { attemptPart } from "./history/attempt.ts";
import { taskOfJob } from "./job.ts";

/** Ids that are compared with one that is unknown: the latest of each kind. */
const MOST_CANDIDATES = 2_000;

/** Throws a `UsageError` with the nearest id when nothing is known of it. */
export async function findTask(engine: Engine, project: Project, id: string): Promise<Task> {
  for (const queue of project.queues) {
    const data = await engine.redis.hget(engine.keys.job(queue, id), "data");
    if (data !== null) return taskOfJob(project, id, JSON.parse(data)).task;
  }
  for (const name of await rememberedNames(engine, id)) {
    const task = taskOfName(project, id, name);
    if (task !== undefined) return task;
  }
  const hint = didYouMean(id, await candidates(engine, project, id));
  throw new UsageError(
    "TASK_UNKNOWN",
    `${JSON.stringify(id)} is neither a task of the project nor the id of one that is known.${hint || ' Name it by family and parameters: "LoadTable --date 2026-11-21".'}`,
  );
}

/** A job of another version of the project: nobody here can build its task. */
export interface JobName {
  readonly id: string;
  readonly name: string;
  readonly queue: string;
}

/** The job with this id, whatever it carries. */
export async function findJob(
  { redis, keys }: Engine,
  project: Project,
  id: string,
): Promise<JobName | undefined> {
  for (const queue of project.queues) {
    const name = await redis.hget(keys.job(queue, id), "name");
    if (name !== null) return { id, name, queue };
  }
  return undefined;
}

/** Its names in the record of completion and in history. */
async function rememberedNames({ redis, keys }: Engine, id: string): Promise<string[]> {
  const [done, parts] = await Promise.all([
    redis.hget(keys.done(id), "name"),
    redis.lrange(keys.history(`task:${id}`), 0, 9),
  ]);
  const names = parts.map((text) => attemptPart.safeParse(JSON.parse(text)).data?.name);
  return [done, ...names].filter((name) => typeof name === "string");
}

/**
 * A name, `Load(date=2026-11-21, table=orders)`, back to its task. A value that holds what looks like the
 * next parameter is read wrong, which the id tells: then there is none.
 */
export function taskOfName(project: Project, id: string, name: string): Task | undefined {
  const family = project.families.get(name.slice(0, name.indexOf("(")));
  if (family === undefined) return undefined;
  const params = Object.entries(family.params)
    .filter(([, codec]) => isSignificant(codec))
    .map(([param]) => param);
  const pattern = params.map((param) => `(?:(?:^|, )${param}=(.*?))?`).join("");
  const values = new RegExp(`^${pattern}$`, "s").exec(name.slice(family.name.length + 1, -1));
  const texts = params.flatMap((param, index) => {
    const text = values?.[index + 1];
    return text === undefined ? [] : [[param, text] as const];
  });
  try {
    const task = family.parse(Object.fromEntries(texts));
    return task.id === id ? task : undefined;
  } catch {
    // A parameter that its id does not hold is required.
    return undefined;
  }
}

async function candidates(engine: Engine, project: Project, id: string): Promise<Set<string>> {
  const { redis, keys } = engine;
  const last = MOST_CANDIDATES - 1;
  const found = [await redis.zrevrange(keys.history("tasks"), 0, last)];
  for (const name of project.queues) {
    const queue = keys.queue(name);
    found.push(
      ...(await Promise.all([
        redis.zrevrange(`${queue}:failed`, 0, last),
        redis.zrevrange(`${queue}:waiting-children`, 0, last),
        redis.zrevrange(`${queue}:completed`, 0, last),
        redis.zrange(`${queue}:prioritized`, "0", String(last)),
      ])),
    );
  }
  const family = /^[A-Za-z][A-Za-z0-9]*/.exec(id)?.[0] ?? id;
  const near = family.slice(0, 3).toLowerCase();
  const known = [...project.families.keys(), ...found.flat()];
  return new Set(known.filter((each) => each.toLowerCase().startsWith(near)));
}
