/** What a job carries: enough for any worker to build the task again, and nothing that could be run. */
import type { JobsOptions } from "bullmq";
import { z } from "zod";
import { HIGHEST_PRIORITY } from "../core/check-declaration.ts";
import type { Project } from "../core/config.ts";
import { PermanentError, UsageError } from "../core/errors.ts";
import type { Task } from "../core/task.ts";
import { familyUnknown, parametersUnknown } from "./other-version.ts";

const jobData = z.object({
  family: z.string(),
  params: z.record(z.string(), z.string()),
  /** The root it was enqueued for. */
  root: z.string(),
});

export type JobData = z.output<typeof jobData>;

/** The type of our backoff; `backoffOf` in worker.ts gives the delays. */
export const BACKOFF = "sluice";

export function jobDataOf(task: Task, root: string): JobData {
  return { family: task.family.name, params: { ...task.texts }, root };
}

export function jobOptionsOf(task: Task): JobsOptions & { jobId: string } {
  return {
    jobId: task.id,
    attempts: task.family.retry.attempts,
    backoff: { type: BACKOFF },
    // BullMQ runs 1 before 2, and before both what has none: every job has one.
    priority: HIGHEST_PRIORITY + 1 - task.family.priority,
    stackTraceLimit: 10,
    keepLogs: 1000,
  };
}

/**
 * The task of a job. Job data is untrusted: anyone who can write to Redis can write it. Throws an
 * `OtherVersionError` when another version of the project enqueued it.
 */
export function taskOfJob(
  project: Project,
  id: string,
  data: unknown,
): { task: Task; root: string } {
  const parsed = jobData.safeParse(data);
  if (!parsed.success) {
    throw new PermanentError(
      "JOB_INVALID",
      `Job ${id} was not enqueued by Sluice (its data has no family and parameters): remove it, and use "sluice run"`,
      { cause: parsed.error },
    );
  }
  const { family, params, root } = parsed.data;
  const definition = project.families.get(family);
  if (definition === undefined) throw familyUnknown(id, family);
  let task: Task;
  try {
    task = definition.parse(params);
  } catch (error) {
    if (error instanceof UsageError) throw parametersUnknown(id, definition, params, error);
    throw error;
  }
  if (task.id === id) return { task, root };
  const names = (texts: Readonly<Record<string, string>>) => Object.keys(texts).sort().join();
  if (names(task.texts) !== names(params)) throw parametersUnknown(id, definition, params);
  throw new PermanentError(
    "JOB_INVALID",
    `Job ${id} carries the parameters of ${task.name}, whose id is ${task.id}: remove it, and use "sluice run"`,
    { fields: { task: id } },
  );
}
