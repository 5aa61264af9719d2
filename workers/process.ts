/**
 * What worker and scheduler processes share: one foreground process a container, with a health
 * endpoint, that drains on SIGTERM and is gone by a hard deadline, even when Redis is away.
 */
import pino, { type Logger } from "pino";
import type { Registry } from "prom-client";
import { messageOf, UnreachableError } from "../src/core/errors.ts";
import { maskSecrets } from "../src/core/secret.ts";
import { startHealthServer } from "../src/http/health-server.ts";
import type { Engine } from "../src/queue/engine.ts";
import type { Settings } from "../src/settings.ts";

export interface Service {
  readonly engine: Engine;
  readonly metrics: Registry;
  /** Stops taking work and hands back what is left, within `grace` milliseconds. */
  stop(grace: number): Promise<void>;
}

/** Between the end of the grace period and the exit: closing connections, last log lines. */
const EXIT_MARGIN = 5_000;

export function createLogger(settings: Settings, name: string): Logger {
  return pino({
    base: { process: name, pid: process.pid, environment: settings.SLUICE_ENVIRONMENT },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level) => ({ level }) },
  });
}

/** Logs an error with fields first, a constant message, and no secrets. */
export function logError(log: Logger, error: unknown, message: string): void {
  log.error({ error: maskSecrets(messageOf(error)) }, message);
}

/**
 * Keeps the process alive until `told`, then stops the service. Resolves when all is closed; exits the
 * process when that takes too long.
 */
export async function serve(
  service: Service,
  settings: Settings,
  log: Logger,
  told: Promise<string>,
): Promise<void> {
  const { SLUICE_HEALTH_PORT: port, SLUICE_HEALTH_HOST: host } = settings;
  let stopping = false;
  const health =
    port === undefined
      ? undefined
      : await startHealthServer(
          { host, port },
          {
            metrics: service.metrics,
            async ready() {
              if (stopping) throw new UnreachableError("STOPPING", "the process is stopping");
              await service.engine.redis.ping();
            },
          },
        );
  if (health) log.info({ address: health.address }, "health endpoint listens");

  const reason = await told;
  stopping = true;
  const grace = settings.SLUICE_GRACE_PERIOD;
  log.info({ reason, grace }, "stopping");
  const deadline = setTimeout(() => {
    log.error({ grace }, "not stopped in time, exiting; what was at work will be run again");
    process.exit(1);
  }, grace + EXIT_MARGIN);
  await service.stop(grace);
  await health?.close();
  clearTimeout(deadline);
  log.info({}, "stopped");
}

/**
 * Resolves with who tells the process to stop: SIGTERM, SIGINT, or the signal given. To be called before
 * any work begins: a SIGTERM that nobody hears ends the process, with what it had just begun.
 */
export function toldToStop(signal: AbortSignal | undefined): Promise<string> {
  return new Promise((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => resolve(name));
    signal?.addEventListener("abort", () => resolve("told to"), { once: true });
    if (signal?.aborted) resolve("told to");
  });
}
