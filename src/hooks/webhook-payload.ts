/** What a webhook's receiver reads: one JSON object an event. Documented in docs/hooks.md. */
import type { Failure, SluiceEvents } from "../core/events.ts";

export type WebhookEvent =
  | "task:failed"
  | "task:lost"
  | "task:recovered"
  | "task:retrying"
  | "task:succeeded";

export interface WebhookPayload {
  readonly event: WebhookEvent;
  readonly environment: string;
  /** When it happened, ISO 8601 in UTC. */
  readonly at: string;
  readonly task: { readonly id: string; readonly name: string; readonly family: string };
  readonly queue: string;
  readonly root: string;
  readonly attempt: { readonly id: string; readonly number: number };
  /** The time of the attempt; for `task:recovered`, since the task had failed. */
  readonly seconds: number;
  /** Null unless the task succeeded and reported them. */
  readonly rows: number | null;
  readonly bytes: number | null;
  /** Null unless the attempt failed. */
  readonly error: Failure | null;
}

/** Errors of databases can carry whole statements; a thousand of them may wait in memory. */
const MESSAGE_LIMIT = 4_000;

export function payloadOf(
  event: WebhookEvent,
  facts: SluiceEvents[WebhookEvent],
  environment: string,
): WebhookPayload {
  const { task, queue, root, attempt, seconds } = facts;
  return {
    event,
    environment,
    at: new Date().toISOString(),
    task: { id: task.id, name: task.name, family: task.family },
    queue,
    root,
    attempt: { id: attempt.id, number: attempt.number },
    seconds,
    rows: ("rows" in facts ? facts.rows : undefined) ?? null,
    bytes: ("bytes" in facts ? facts.bytes : undefined) ?? null,
    error: "error" in facts ? shortened(facts.error) : null,
  };
}

function shortened({ code, message, fingerprint }: Failure): Failure {
  const cut = message.length > MESSAGE_LIMIT;
  return { code, message: cut ? `${message.slice(0, MESSAGE_LIMIT)}…` : message, fingerprint };
}
