/**
 * Which of Bull Board's buttons work on a pipeline. Jobs are nodes of a graph whose edges live in
 * BullMQ's dependency sets: removing one by hand leaves its parents waiting for ever. Refused here, on
 * the server, because Bull Board cannot hide single buttons. A route that is not listed is refused.
 */
import type { BeforeHookResult, HookContext } from "@bull-board/api/typings/app";

const QUEUE = "/api/queues/:queueName";
const JOB = `${QUEUE}/:jobId`;

const ALLOWED: ReadonlySet<string> = new Set([
  "put /api/queues/pause",
  "put /api/queues/resume",
  `put ${QUEUE}/pause`,
  `put ${QUEUE}/resume`,
  `put ${QUEUE}/promote`,
  `put ${QUEUE}/concurrency`,
  `put ${QUEUE}/rate-limit`,
  `put ${QUEUE}/rate-limit/release`,
  `put ${QUEUE}/retry/:queueStatus`,
  `put ${QUEUE}/job-schedulers/:schedulerId/run`,
  `put ${JOB}/retry`,
  `put ${JOB}/promote`,
  `patch ${JOB}/delay`,
  `patch ${JOB}/priority`,
]);

const EDGES =
  "Removing jobs would leave the tasks that need them waiting for ever. Pause the queue to stop work, or Retry what failed.";
const SCHEDULES =
  "Schedules are declared in sluice.config.ts and restored when the scheduler starts: change them there.";

const REFUSED: ReadonlyMap<string, string> = new Map([
  [`put ${QUEUE}/obliterate`, EDGES],
  [`put ${QUEUE}/empty`, EDGES],
  [`put ${QUEUE}/clean/:queueStatus`, EDGES],
  [`put ${JOB}/clean`, EDGES],
  [`put ${JOB}/remove-unprocessed-children`, EDGES],
  [
    `post ${QUEUE}/add`,
    'A job added by hand is no task: enqueue one with "sluice run <Task> --param value".',
  ],
  [
    `patch ${JOB}/update-data`,
    'A job\'s id is made of its parameters: for other parameters use "sluice run <Task> --param value".',
  ],
  [`put ${QUEUE}/job-schedulers/:schedulerId/remove`, SCHEDULES],
  [`patch ${QUEUE}/job-schedulers/:schedulerId`, SCHEDULES],
]);

const COMPLETE = "Retry is for tasks that failed: this one is complete, and its output exists.";

/** Bull Board's hook before each of its routes. */
export async function checkAction(
  context: HookContext,
  readOnly: boolean,
): Promise<BeforeHookResult> {
  if (context.method === "get") return { allow: true };
  if (readOnly) return refuse("This dashboard is read-only.");
  const action = `${context.method} ${context.route}`;
  if (!ALLOWED.has(action)) {
    return refuse(REFUSED.get(action) ?? "This action is not part of how Sluice is operated.");
  }
  return (await retriesComplete(action, context)) ? refuse(COMPLETE) : { allow: true };
}

/** Bull Board only hides this button; its route would run the task again. */
async function retriesComplete(action: string, { request }: HookContext): Promise<boolean> {
  const { queueName, jobId, queueStatus } = request.params;
  if (action === `put ${QUEUE}/retry/:queueStatus`) return queueStatus === "completed";
  if (action !== `put ${JOB}/retry`) return false;
  const job = await request.queues.get(String(queueName))?.getJob(String(jobId));
  return (await job?.getState()) === "completed";
}

function refuse(message: string): BeforeHookResult {
  return { allow: false, status: 403, message };
}
