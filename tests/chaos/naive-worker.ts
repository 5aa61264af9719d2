/**
 * A worker that takes every job that BullMQ hands it, whoever is at work on it: before each gate it throws the
 * lease away. With the naive datasets it shows what leases and fences are for. Here only, never in src.
 */
import { once } from "node:events";
import type { Project } from "../../src/core/config.ts";
import { EventHub } from "../../src/core/events.ts";
import { RUNTIME_DEFAULTS } from "../../src/queue/runtime.ts";
import { startWorker } from "../../src/queue/worker.ts";
import type { Settings } from "../../src/settings.ts";
import { openWorkplace } from "../../src/workplace.ts";

export async function runNaiveWorker(
  project: Project,
  settings: Settings,
  signal: AbortSignal,
): Promise<void> {
  const place = await openWorkplace(project, settings);
  const { engine } = place;
  const { scripts, redis, keys } = engine;
  const original = scripts.send.bind(scripts);
  const send: typeof original = async (call) => {
    const id = String(call.args[1]);
    if (call.name === "begin") await redis.hdel(keys.attempt(id), "holder", "began");
    return original(call);
  };
  Object.assign(scripts, { send });
  const lockDuration = settings.SLUICE_LOCK_DURATION;
  const runtime = { ...RUNTIME_DEFAULTS, leaseDuration: lockDuration };
  const worker = await startWorker(
    { ...place, events: new EventHub(() => {}), settings: runtime },
    {
      queues: project.queues,
      concurrency: settings.SLUICE_CONCURRENCY,
      lockDuration,
      stalledInterval: lockDuration / 2,
      onError: () => {},
    },
  );
  if (!signal.aborted) await once(signal, "abort");
  await worker.stop(0);
  await place.close();
}
