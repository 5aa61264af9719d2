/** How an attempt ends: a closed set, mapped to BullMQ in one place (`worker.ts`). */
export type Outcome =
  /** Recorded as complete; its waiters are released. */
  | { readonly kind: "completed" }
  /** Waits for other tasks, which are in the queue. No attempt is used. */
  | { readonly kind: "blocked" }
  /** Another attempt is at work, or an external output does not exist yet. No attempt is used. */
  | { readonly kind: "deferred"; readonly milliseconds: number }
  /** Waits in line for units of resources, which call it; else it asks again. No attempt is used. */
  | { readonly kind: "waiting"; readonly needs: string; readonly milliseconds: number }
  /** The worker stops: the job goes back to the queue. No attempt is used. */
  | { readonly kind: "returned" }
  /** Another attempt has taken over; nothing of this one counts. */
  | { readonly kind: "superseded" }
  | { readonly kind: "failed"; readonly error: unknown };
