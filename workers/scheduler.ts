/** The scheduler process: enqueues yesterday's roots, and clears up after dead attempts. */
import { collectDefaultMetrics, Registry } from "prom-client";
import type { Project } from "../src/core/config.ts";
import { UsageError } from "../src/core/errors.ts";
import { recordRun } from "../src/queue/history/runs.ts";
import { trimHistory } from "../src/queue/history/trim-history.ts";
import { startScheduler } from "../src/queue/scheduler.ts";
import type { Submitted } from "../src/queue/submit.ts";
import type { Settings } from "../src/settings.ts";
import { sweepStaleUploads } from "../src/targets/sweep-stale-uploads.ts";
import { openWorkplace } from "../src/workplace.ts";
import { createLogger, logError, serve, toldToStop } from "./process.ts";

const HOUR = 3_600_000;
/** Longer than any attempt should last; see `sweepStaleUploads`. */
const STALE_AFTER = 24 * HOUR;

export async function runScheduler(
  project: Project,
  settings: Settings,
  options: { readonly signal?: AbortSignal } = {},
): Promise<void> {
  if (project.schedules.length === 0) {
    throw new UsageError(
      "NO_SCHEDULES",
      'The project has no schedules: add "schedules: [daily(AllTasks, { at: "02:30" })]" to its defineConfig',
    );
  }
  const told = toldToStop(options.signal);
  const log = createLogger(settings, "scheduler");
  const place = await openWorkplace(project, settings);
  const scheduler = await startScheduler(place, {
    onTick(schedule, plan) {
      const { root, tasks } = plan;
      log.info(
        { schedule: schedule.id, root: root.id, tasks: tasks.size, retried: plan.retried.length },
        "tick",
      );
      if (changesSomething(plan)) {
        void recordRun(place.engine, plan, { kind: "run", by: `schedule ${schedule.id}` });
      }
    },
    onError: (error) => logError(log, error, "scheduler error"),
  });
  for (const { id, pattern, timezone, again } of project.schedules) {
    log.info({ schedule: id, pattern, timezone, again }, "scheduled");
  }

  const sweep = () => {
    sweepStaleUploads(place.stores.s3, { olderThan: STALE_AFTER }).then(
      (swept) => log.info(swept, "swept"),
      (error: unknown) => logError(log, error, "sweep failed"),
    );
  };
  const trim = () => {
    trimHistory(place.engine, { days: settings.SLUICE_HISTORY_DAYS }).then(
      (tasks) => log.info({ tasks }, "history trimmed"),
      (error: unknown) => logError(log, error, "history not trimmed"),
    );
  };
  const clearUp = () => {
    trim();
    if (settings.SLUICE_BUCKET !== undefined) sweep();
  };
  const janitor = setInterval(clearUp, HOUR);
  clearUp();

  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  await serve(
    {
      engine: place.engine,
      metrics,
      async stop() {
        clearInterval(janitor);
        await scheduler.stop();
        await place.close();
      },
    },
    settings,
    log,
    told,
  );
}

/** Whether a tick added or retried a task: most find that all is under way, and are no run. */
function changesSomething({ tasks, retried }: Submitted): boolean {
  return retried.length > 0 || [...tasks.values()].some(({ state }) => state === "absent");
}
