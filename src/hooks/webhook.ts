/**
 * Tells a bug tracker or a chat, by HTTP, that a task failed, and that it recovered. It stands beside
 * the tasks: events go into a bounded queue and are posted one at a time, in order. Whatever the
 * receiver does (hang, refuse, be away), no task waits for it. What cannot be delivered is counted and
 * reported, not kept.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Counter, type Registry } from "prom-client";
import { UnreachableError } from "../core/errors.ts";
import type { EventHub } from "../core/events.ts";
import type { Secret } from "../core/secret.ts";
import { WebhookEndpoint } from "./webhook-endpoint.ts";
import { payloadOf, type WebhookEvent, type WebhookPayload } from "./webhook-payload.ts";

export interface WebhookSettings {
  /** Where to post. Treated as a secret: only its origin is ever printed. */
  readonly url: Secret;
  /** Named in every payload. */
  readonly environment: string;
  /** Which events to post; `["task:failed", "task:lost", "task:recovered"]` unless given. */
  readonly events?: readonly WebhookEvent[];
}

/**
 * Notifications that may wait. When it is full, the new one is dropped and those that wait are kept:
 * in a storm of failures the first ones tell the cause.
 */
const WAITING_LIMIT = 1_000;

/** An alarm, and its end. */
const DEFAULT_EVENTS: readonly WebhookEvent[] = ["task:failed", "task:lost", "task:recovered"];

export class Webhook {
  readonly #endpoint: WebhookEndpoint;
  readonly #notifications: Counter<"outcome">;
  readonly #onUndelivered: (error: UnreachableError) => void;
  readonly #waiting: WebhookPayload[] = [];
  readonly #stop = new AbortController();
  #closing = false;
  #sending: Promise<void> | undefined;

  /**
   * Listens to `hub` and counts in `registry`. Throws a `UsageError` if the URL is none.
   * `onUndelivered` gets an error without secrets for each notification that was given up.
   */
  constructor(
    settings: WebhookSettings,
    sources: { readonly hub: EventHub; readonly registry: Registry },
    onUndelivered: (error: UnreachableError) => void,
  ) {
    this.#endpoint = new WebhookEndpoint(settings.url);
    this.#onUndelivered = onUndelivered;
    this.#notifications = new Counter({
      name: "sluice_webhook_notifications_total",
      help: "Notifications: delivered, undelivered (given up) or dropped (too many waited).",
      labelNames: ["outcome"],
      registers: [sources.registry],
    });
    for (const event of settings.events ?? DEFAULT_EVENTS) {
      sources.hub.on(event, (facts) => this.#accept(payloadOf(event, facts, settings.environment)));
    }
  }

  /** Takes nothing more, delivers what waits for at most `milliseconds`, and drops the rest. */
  async close(milliseconds: number): Promise<void> {
    this.#closing = true;
    if (this.#sending === undefined) return;
    const delivered = new AbortController();
    const deadline = sleep(milliseconds, undefined, { signal: delivered.signal }).catch(() => {});
    await Promise.race([this.#sending, deadline]);
    delivered.abort();
    this.#stop.abort();
    await this.#sending;
  }

  #accept(payload: WebhookPayload): void {
    if (this.#closing || this.#waiting.length >= WAITING_LIMIT) {
      this.#notifications.inc({ outcome: "dropped" });
      return;
    }
    this.#waiting.push(payload);
    this.#sending ??= this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (this.#stop.signal.aborted) this.#notifications.inc({ outcome: "dropped" });
      else await this.#send(next);
    }
    this.#sending = undefined;
  }

  async #send(payload: WebhookPayload): Promise<void> {
    try {
      const key = `${payload.event}/${payload.task.id}#${payload.attempt.id}`;
      await this.#endpoint.post(JSON.stringify(payload), key, this.#stop.signal);
      this.#notifications.inc({ outcome: "delivered" });
    } catch (error) {
      this.#notifications.inc({ outcome: "undelivered" });
      this.#report(payload, error);
    }
  }

  #report(payload: WebhookPayload, cause: unknown): void {
    const reason = cause instanceof UnreachableError ? cause.message : "The webhook failed";
    try {
      this.#onUndelivered(
        new UnreachableError(
          "WEBHOOK_UNDELIVERED",
          `${payload.task.name}: ${payload.event} was not delivered. ${reason}`,
          { fields: { task: payload.task.id, event: payload.event } },
        ),
      );
    } catch {
      // A logger that throws must not hold up the notifications behind this one.
    }
  }
}
