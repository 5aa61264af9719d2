/**
 * What an orchestrator asks a worker or scheduler process: `/healthz` (is its event loop alive),
 * `/readyz` (can it work now) and `/metrics` (Prometheus). Health never asks Redis: restarting every
 * pod because Redis is away would help nobody. No task data is served here, so there is no login.
 */
import { createServer, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Registry } from "prom-client";
import { SluiceError, UnreachableError } from "../core/errors.ts";
import { listen, type ListenAddress, type Listening } from "./listen.ts";

export interface HealthSources {
  /** Rejects when the process cannot take work: Redis is away, or it is stopping. */
  ready(): Promise<unknown>;
  readonly metrics: Registry;
}

const READY_TIMEOUT = 2_000;

/** Starts it. `SLUICE_HEALTH_HOST` and `SLUICE_HEALTH_PORT` are named if it cannot listen. */
export async function startHealthServer(
  address: ListenAddress,
  sources: HealthSources,
): Promise<Listening> {
  const server = createServer((request, response) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      answer(response, 405, "method not allowed");
      return;
    }
    const [path = "/"] = (request.url ?? "/").split("?");
    respond(path, response, sources).catch(() => answer(response, 500, "internal error"));
  });
  return listen(server, address, "SLUICE_HEALTH");
}

async function respond(
  path: string,
  response: ServerResponse,
  sources: HealthSources,
): Promise<void> {
  switch (path) {
    case "/healthz":
      return answer(response, 200, "ok");
    case "/readyz":
      return answerReady(response, sources);
    case "/metrics":
      return answer(response, 200, await sources.metrics.metrics(), sources.metrics.contentType);
    default:
      return answer(response, 404, "not found");
  }
}

async function answerReady(response: ServerResponse, sources: HealthSources): Promise<void> {
  const answered = new AbortController();
  try {
    await Promise.race([sources.ready(), tooLate(answered.signal)]);
    answer(response, 200, "ready");
  } catch (error) {
    // Errors of libraries may name hosts and users; ours are written to be shown.
    answer(response, 503, error instanceof SluiceError ? error.message : "not ready");
  } finally {
    answered.abort();
  }
}

async function tooLate(signal: AbortSignal): Promise<void> {
  const aborted = await sleep(READY_TIMEOUT, false, { signal }).catch(() => true);
  if (aborted) return;
  throw new UnreachableError("NOT_READY", `Not ready: no answer in ${READY_TIMEOUT / 1000} s`);
}

function answer(
  response: ServerResponse,
  status: number,
  text: string,
  type = "text/plain; charset=utf-8",
): void {
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
  response.end(text.endsWith("\n") ? text : `${text}\n`);
}
