/** The worker process: runs tasks of the queues it is given. Start as many as you like. */
import { hostname } from "node:os";
import type { Project } from "../src/core/config.ts";
import { EventHub } from "../src/core/events.ts";
import { recordMetrics } from "../src/hooks/prometheus.ts";
import { Webhook } from "../src/hooks/webhook.ts";
import { recordHistory } from "../src/queue/history/record-history.ts";
import { trimHistory } from "../src/queue/history/trim-history.ts";
import { RUNTIME_DEFAULTS, type Runtime } from "../src/queue/runtime.ts";
import { startWorker } from "../src/queue/worker.ts";
import type { Settings } from "../src/settings.ts";
import { openWorkplace } from "../src/workplace.ts";
import { createLogger, logError, serve, toldToStop } from "./process.ts";

export interface WorkerOptions {
  /** Default: every queue of the project. */
  readonly queues?: readonly string[] | undefined;
  readonly signal?: AbortSignal;
}

const LOGGED = [
  "task:started",
  "task:succeeded",
  "task:retrying",
  "task:failed",
  "task:lost",
  "task:released",
  "task:recovered",
] as const;

/** How long hooks may go on after the last task. */
const HOOKS_DEADLINE = 2_000;

export async function runWorker(
  project: Project,
  settings: Settings,
  options: WorkerOptions = {},
): Promise<void> {
  const told = toldToStop(options.signal);
  const log = createLogger(settings, "worker");
  const place = await openWorkplace(project, settings);
  const events = new EventHub((error, event) =>
    logError(log.child({ event }), error, "hook failed"),
  );
  const metrics = recordMetrics(events);
  const url = settings.SLUICE_WEBHOOK_URL;
  const webhook =
    url &&
    new Webhook(
      { url, environment: settings.SLUICE_ENVIRONMENT },
      { hub: events, registry: metrics },
      (error) => logError(log, error, "webhook not delivered"),
    );
  const history = recordHistory(events, place.engine, {
    worker: `${hostname()}:${process.pid}`,
    version: settings.SLUICE_VERSION,
    onDropped: (count, reason) => log.warn({ count, reason }, "history not recorded"),
  });
  // Also here, once: a deployment without a scheduler has nobody else to do it.
  trimHistory(place.engine, { days: settings.SLUICE_HISTORY_DAYS }).catch((error: unknown) =>
    logError(log, error, "history not trimmed"),
  );
  for (const event of LOGGED) {
    events.on(event, (facts) => {
      log.info(facts, event);
    });
  }

  const lockDuration = settings.SLUICE_LOCK_DURATION;
  const runtime: Runtime = {
    ...place,
    events,
    settings: { ...RUNTIME_DEFAULTS, leaseDuration: lockDuration },
  };
  const worker = await startWorker(runtime, {
    queues: options.queues ?? project.queues,
    concurrency: settings.SLUICE_CONCURRENCY,
    lockDuration,
    stalledInterval: Math.min(30_000, lockDuration / 2),
    onError: (error) => logError(log, error, "queue error"),
  }).catch(async (error: unknown) => {
    // So that the process ends, and is started again.
    place.engine.redis.disconnect();
    await place.stores.close();
    throw error;
  });
  log.info({ queues: worker.queues, concurrency: settings.SLUICE_CONCURRENCY }, "working");

  const { engine } = place;
  await serve(
    {
      engine,
      metrics,
      async stop(grace) {
        await worker.stop(Math.max(grace - HOOKS_DEADLINE, 0));
        await events.drain(HOOKS_DEADLINE);
        await Promise.all([webhook?.close(HOOKS_DEADLINE), history.close(HOOKS_DEADLINE)]);
        await place.close();
      },
    },
    settings,
    log,
    told,
  );
}
