/**
 * One address that takes JSON by POST. Its URL may carry a secret in any part, so nothing but its
 * origin ever leaves this file; errors of `fetch` are reduced to their code for the same reason.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { UnreachableError, UsageError } from "../core/errors.ts";
import type { Secret } from "../core/secret.ts";

const TIMEOUT = 2_000;
/** Milliseconds before the second, third and fourth try; each is shortened by up to a half at random. */
const PAUSES = [250, 1_000, 4_000];

export class WebhookEndpoint {
  readonly #url: URL;
  readonly #authorization: string | undefined;

  /** Throws a `UsageError` that does not show the URL. */
  constructor(secret: Secret) {
    const url = parse(secret);
    const { username, password } = url;
    if (username !== "" || password !== "") {
      const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
      this.#authorization = `Basic ${Buffer.from(login).toString("base64")}`;
      // fetch refuses a URL with a login, and its message would show it.
      url.username = "";
      url.password = "";
    }
    this.#url = url;
  }

  /** What may be printed. */
  get origin(): string {
    return this.#url.origin;
  }

  /**
   * Posts, and tries again after errors that may pass (no answer in 2 s, 408, 429, 5xx). Throws an
   * `UnreachableError` when it gives up. `key` is the same on every try.
   */
  async post(body: string, key: string, signal: AbortSignal): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      const refusal = await this.#tryOnce(body, key, signal);
      if (refusal === undefined) return;
      const pause = PAUSES[tries - 1];
      if (pause === undefined || !refusal.mayPass || signal.aborted) {
        throw new UnreachableError(
          "WEBHOOK_UNDELIVERED",
          `The webhook at ${this.origin} did not take a notification (${refusal.reason}, try ${tries})`,
        );
      }
      await sleep(pause * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {});
    }
  }

  async #tryOnce(body: string, key: string, signal: AbortSignal): Promise<Refusal | undefined> {
    try {
      const response = await fetch(this.#url, {
        method: "POST",
        body,
        headers: {
          "content-type": "application/json",
          "idempotency-key": key,
          "user-agent": "sluice",
          ...(this.#authorization !== undefined && { authorization: this.#authorization }),
        },
        // The path may be the secret: it is not handed to whatever address a redirect names.
        redirect: "manual",
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]),
      });
      await response.body?.cancel();
      const { ok, status } = response;
      if (ok) return undefined;
      return {
        reason: `HTTP ${status}`,
        mayPass: status >= 500 || status === 408 || status === 429,
      };
    } catch (error) {
      return { reason: reasonOf(error, signal), mayPass: true };
    }
  }
}

interface Refusal {
  readonly reason: string;
  readonly mayPass: boolean;
}

function parse(secret: Secret): URL {
  const url = URL.canParse(secret.reveal()) ? new URL(secret.reveal()) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(
      "WEBHOOK_URL_INVALID",
      "SLUICE_WEBHOOK_URL is no address of a webhook: expected https://host/path",
    );
  }
  return url;
}

function reasonOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return "the process is stopping";
  if (!(error instanceof Error)) return "the connection failed";
  if (error.name === "TimeoutError") return `no answer in ${TIMEOUT / 1000} s`;
  const { cause } = error;
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return typeof code === "string" ? code : "the connection failed";
}
