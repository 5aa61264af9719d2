/**
 * Jobs of another version of the code: one that this worker's project cannot build. During a deployment
 * a worker that can is on its way, so the job waits, uses no attempt, and is told to hooks once.
 */
import { randomUUID } from "node:crypto";
import type { Job } from "bullmq";
import { messageOf, SluiceError } from "../core/errors.ts";
import { maskSecrets } from "../core/secret.ts";
import type { FamilyDefinition } from "../core/task.ts";
import type { Outcome } from "./outcome.ts";
import type { Runtime, Workplace } from "./runtime.ts";

/** The project has no such family, or the family has other parameters by now. */
export class OtherVersionError extends SluiceError {
  /** The name of the family that the job carries. */
  readonly family: string;

  constructor(
    code: "FAMILY_UNKNOWN" | "PARAMETERS_UNKNOWN",
    id: string,
    family: string,
    what: string,
  ) {
    super(
      code,
      `Job ${id} was enqueued by another version of the project: ${what}. It waits for a worker that knows it, and uses no attempt: finish the deployment, or end it with "sluice cancel ${id}"`,
      { fields: { task: id } },
    );
    this.family = family;
  }
}

export function familyUnknown(id: string, family: string): OtherVersionError {
  return new OtherVersionError("FAMILY_UNKNOWN", id, family, `here is no task ${family}`);
}

/** `problem`: what the parameters of the job lack here, or have too many. */
export function parametersUnknown(
  id: string,
  family: FamilyDefinition,
  texts: Readonly<Record<string, string>>,
  problem?: unknown,
): OtherVersionError {
  const list = (names: readonly string[]) => `(${names.join(", ")})`;
  const its = list(Object.keys(texts));
  const ours = list(Object.keys(family.params));
  const why = problem === undefined ? "" : `: ${messageOf(problem)}`;
  const what = `its ${family.name} has the parameters ${its}, ours has ${ours}${why}`;
  return new OtherVersionError("PARAMETERS_UNKNOWN", id, family.name, what);
}

export async function waitForOtherVersion(
  { engine, events, settings }: Runtime,
  job: Job,
  error: OtherVersionError,
): Promise<Outcome> {
  const id = job.id ?? "";
  const message = maskSecrets(error.message);
  const isNew = await engine.redis.hset(engine.keys.attempt(id), "version", message);
  if (isNew === 1) {
    events.emit("task:retrying", {
      task: { id, name: job.name, family: error.family },
      queue: job.queueName,
      root: String(job.data?.root),
      attempt: { id: randomUUID(), number: job.attemptsMade + 1 },
      seconds: 0,
      error: { code: error.code, message, fingerprint: `${error.family}:${error.code}` },
    });
  }
  return { kind: "deferred", milliseconds: settings.versionPoll };
}

export interface WaitingJob {
  readonly id: string;
  readonly name: string;
  readonly queue: string;
  readonly error: string;
  /** When it is looked at again: milliseconds since 1970. */
  readonly until: number;
}

/** Of each queue, looked through among the next of its delayed jobs. */
const MOST_DELAYED = 1_000;

/** The jobs that wait for a worker of another version of the project. */
export async function jobsOfOtherVersions({
  engine,
  project,
}: Pick<Workplace, "engine" | "project">): Promise<readonly WaitingJob[]> {
  const { redis, keys } = engine;
  const found: WaitingJob[] = [];
  for (const queue of project.queues) {
    const delayed = `${keys.queue(queue)}:delayed`;
    const ids = await redis.zrange(delayed, "0", String(MOST_DELAYED - 1));
    const errors = await Promise.all(ids.map((id) => redis.hget(keys.attempt(id), "version")));
    for (const [index, id] of ids.entries()) {
      const error = errors[index];
      if (!error) continue;
      const name = await redis.hget(keys.job(queue, id), "name");
      // BullMQ keeps the time in the upper bits of the score.
      const until = Math.floor(Number(await redis.zscore(delayed, id)) / 0x1000);
      found.push({ id, name: name ?? id, queue, error, until });
    }
  }
  return found;
}
