/**
 * One attempt of one job, from the gate to the record: build the task, take the lease, look whether
 * it is complete after all, run, check the outputs, record. Every way out is an `Outcome`.
 */
import { randomUUID } from "node:crypto";
import type { Job } from "bullmq";
import { messageOf, PermanentError, SluiceError } from "../core/errors.ts";
import type { Failure, SluiceEvents } from "../core/events.ts";
import { maskSecrets } from "../core/secret.ts";
import { missingOutputs } from "../core/target.ts";
import { requirementsOf, type Task } from "../core/task.ts";
import { numberIn } from "./answer.ts";
import { cancelled } from "./cancel.ts";
import type { JobCompletions } from "./complete-job.ts";
import { completion } from "./completion.ts";
import { type Driven, drive } from "./drive.ts";
import { removeStaleOutputs } from "./invalidate.ts";
import { insist } from "./insist.ts";
import { CancelledBy, type Interrupt, WorkerStopping } from "./interrupt.ts";
import { taskOfJob } from "./job.ts";
import { Lease, LeaseLostError } from "./lease.ts";
import { OtherVersionError, waitForOtherVersion } from "./other-version.ts";
import type { Outcome } from "./outcome.ts";
import { needsOf } from "./resources.ts";
import { ProgressReporter } from "./progress.ts";
import type { Runtime } from "./runtime.ts";
import { AttemptBinding, AttemptContext } from "./task-context.ts";
import { waitFor } from "./wait-for.ts";

export interface Delivery {
  readonly job: Job;
  /** BullMQ's lock token. */
  readonly token: string;
  readonly interrupt: Interrupt;
  /** Completes the job in the step that records its task. */
  readonly completions: JobCompletions;
}

export async function execute(runtime: Runtime, delivery: Delivery): Promise<Outcome> {
  const { job } = delivery;
  let known: { task: Task; root: string };
  try {
    known = taskOfJob(runtime.project, job.id ?? "", job.data);
  } catch (error) {
    if (!(error instanceof OtherVersionError)) return { kind: "failed", error };
    return waitForOtherVersion(runtime, job, error);
  }
  const attempt = { id: randomUUID(), number: job.attemptsMade + 1 };
  const facts = {
    task: { id: known.task.id, name: known.task.name, family: known.task.family.name },
    queue: job.queueName,
    root: known.root,
    attempt,
  };
  const started = performance.now();
  const outcome = await attemptTask(runtime, delivery, known, facts).catch(
    (error: unknown): Outcome => outcomeOfError(delivery, known.task, error),
  );
  const seconds = (performance.now() - started) / 1000;
  if (outcome.kind === "failed") {
    const final = isFinal(delivery, outcome.error);
    const error = failureOf(known.task, outcome.error);
    runtime.events.emit(final ? "task:failed" : "task:retrying", {
      ...facts,
      seconds,
      error,
    });
    if (final) await rememberFailure(runtime, known.task, error);
  } else if (
    outcome.kind !== "completed" &&
    outcome.kind !== "deferred" &&
    outcome.kind !== "waiting"
  ) {
    runtime.events.emit("task:released", { ...facts, seconds, reason: outcome.kind });
  }
  return outcome;
}

type Facts = SluiceEvents["task:started"];

async function attemptTask(
  runtime: Runtime,
  delivery: Delivery,
  known: { readonly task: Task; readonly root: string },
  facts: Facts,
): Promise<Outcome> {
  const { task } = known;
  const { engine, settings } = runtime;
  const { interrupt } = delivery;
  interrupt.throwIfAborted();
  const requirements = requirementsOf(task);
  const needs = needsOf(runtime.project, task);
  const [verdict, detail, failedAt, stale, lost] = await insist(() =>
    engine.scripts.send({
      name: "begin",
      key: engine.keys.job(task.family.queue, task.id),
      args: [
        engine.keys.own,
        task.id,
        delivery.token,
        facts.attempt.id,
        settings.leaseDuration,
        settings.crashesAllowed,
        task.name,
        needs,
        ...requirements.map(({ id }) => id),
      ],
    }),
  );
  if (lost) tellLost(runtime, task, facts, ...lost);
  switch (verdict) {
    case "begun":
      break;
    case "complete":
      tellRecovered(runtime, facts, failedAt);
      return { kind: "completed" };
    case "blocked":
      return waitFor(runtime, delivery, known, requirements, "required");
    case "waiting":
      return { kind: "waiting", needs, milliseconds: Number(detail) };
    case "leased":
      return { kind: "deferred", milliseconds: Number(detail) };
    case "crashed":
      throw new PermanentError(
        "TASK_CRASHED",
        `${task.name}: crashed ${detail} times: each time the worker died before the attempt ended (out of memory?). Look at the workers' logs, then retry it`,
      );
    case "cancelled":
      throw cancelled(task, String(detail));
    case "collision":
      throw new PermanentError(
        "TASK_ID_COLLISION",
        `${task.name} has the same task id as ${detail}, which is complete: change a parameter's name or value`,
      );
    default:
      return { kind: "superseded" };
  }

  const lease = new Lease(engine, task, facts.attempt, settings, needs, (error) =>
    interrupt.abort(error),
  );
  lease.keep();
  try {
    if (stale) await removeStaleOutputs(engine, runtime.stores, task, lease, interrupt.signal);
    const outcome = await interrupt.bound(task, settings.abortGrace, () =>
      underLease(runtime, delivery, known, facts, lease),
    );
    if (outcome.kind === "completed") {
      tellRecovered(runtime, facts, failedAt);
      return outcome;
    }
    const isOurs = await lease.release(delivery.token);
    return isOurs ? outcome : { kind: "superseded" };
  } catch (error) {
    // Without Redis's answer it ends as it would.
    const isOurs = await lease.release(delivery.token).catch(() => true);
    if (!isOurs) return { kind: "superseded" };
    throw error;
  } finally {
    lease.stop();
  }
}

async function underLease(
  runtime: Runtime,
  delivery: Delivery,
  known: { readonly task: Task; readonly root: string },
  facts: Facts,
  lease: Lease,
): Promise<Outcome> {
  const { task } = known;
  const { interrupt, job, completions } = delivery;
  const { engine, stores, events, settings } = runtime;
  const needs = needsOf(runtime.project, task);
  const record = async (answer: unknown): Promise<Outcome> => {
    const at = Date.now();
    const completing = completion(engine, task, answer, {
      attempt: lease.id,
      at,
      needs,
      job: completions.arguments(delivery.token),
    });
    const [recorded, ended] = await insist(() => engine.scripts.send(completing));
    if (recorded < 0) throw new LeaseLostError(task);
    completions.answered(job, ended, at);
    return { kind: "completed" };
  };

  // Asked again under the lease: a predecessor may have committed and died before it was recorded.
  const missing = async () =>
    task.outputs === undefined ? [] : missingOutputs({ task, stores, signal: interrupt.signal });
  const looking = performance.now();
  const exists = task.outputs !== undefined && (await missing()).length === 0;
  // Whether another attempt had the lease meanwhile: then what was seen is old.
  if (performance.now() - looking > settings.leaseDuration / 3) await lease.confirmLease();
  if (exists || task.family.kind === "wrapper") return record(null);
  if (task.family.run === undefined) {
    return { kind: "deferred", milliseconds: settings.externalPoll };
  }

  events.emit("task:started", facts);
  const started = performance.now();
  const progress = new ProgressReporter(delivery.job);
  const context = new AttemptContext(new AttemptBinding(task, stores, lease, interrupt), progress);
  let driven: Driven;
  try {
    driven = await drive(engine, task, task.family.run(context));
  } finally {
    await progress.flush();
  }
  interrupt.throwIfAborted();
  if (driven.kind === "waiting") {
    return waitFor(runtime, delivery, known, driven.tasks, driven.failed ? "failed" : "yielded");
  }

  const lacking = await missing();
  if (lacking.length > 0) {
    throw new PermanentError(
      "OUTPUT_MISSING",
      `${task.name}: run() ended, but its output is missing: ${lacking.join(", ")}. Write it in run(), or correct output()`,
      { fields: { task: task.id, missing: lacking } },
    );
  }
  const outcome = await record(driven.answer);
  events.emit("task:succeeded", {
    ...facts,
    seconds: (performance.now() - started) / 1000,
    rows: numberIn(driven.answer, "rows"),
    bytes: numberIn(driven.answer, "bytes"),
  });
  return outcome;
}

/**
 * Tells those whose run asked for it, and lets its completion be told as a recovery; the record of
 * completion clears it. Before BullMQ fails the job: nobody may see it failed and the others wait.
 */
async function rememberFailure(
  { engine }: Runtime,
  { id, family }: Task,
  failure: Failure,
): Promise<void> {
  const { keys, scripts } = engine;
  const text = JSON.stringify({ code: failure.code, message: failure.message });
  const job = keys.job(family.queue, id);
  const now = Date.now();
  await insist(() => scripts.call("fail", job, keys.own, id, now, text)).catch(() => {});
}

function tellRecovered({ events }: Runtime, facts: Facts, failedAt: string | null = null): void {
  if (failedAt === null) return;
  const seconds = Math.max(0, Date.now() - Number(failedAt)) / 1000;
  events.emit("task:recovered", { ...facts, seconds });
}

/** The attempt that finds it speaks for it: its own worker died, or is frozen. */
function tellLost(
  { events, settings }: Runtime,
  task: Task,
  facts: Facts,
  id: string,
  crashes: number,
  milliseconds: number,
): void {
  const error = new SluiceError(
    "ATTEMPT_LOST",
    `${task.name}: the worker of this attempt died or froze before it ended (crash ${crashes} of ${settings.crashesAllowed} until the task fails): look at the worker's last log lines`,
  );
  const attempt = { id, number: facts.attempt.number };
  const seconds = milliseconds / 1000;
  events.emit("task:lost", { ...facts, attempt, seconds, error: failureOf(task, error) });
}

function outcomeOfError({ interrupt }: Delivery, task: Task, error: unknown): Outcome {
  const { reason } = interrupt;
  if (error instanceof LeaseLostError) return { kind: "superseded" };
  if (reason instanceof WorkerStopping) return { kind: "returned" };
  if (reason instanceof CancelledBy) return { kind: "failed", error: cancelled(task, reason.by) };
  return { kind: "failed", error };
}

/** Whether no further attempt will follow. */
export function isFinal({ job }: Delivery, error: unknown): boolean {
  if (error instanceof SluiceError && !error.retryable) return true;
  return job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
}

function failureOf(task: Task, error: unknown): Failure {
  const code = error instanceof SluiceError ? error.code : "ERROR";
  return {
    code,
    message: maskSecrets(messageOf(error)),
    fingerprint: `${task.family.name}:${code}`,
  };
}
