/** What the ticks of schedules still do about tasks that failed for good. Writes nothing. */
import { chunk } from "./chunk.ts";
import type { Workplace } from "./runtime.ts";

/**
 * held      somebody cancelled it: no tick retries it
 * gave up   ticks have retried it as often as they may: only a person does
 * retrying  ticks have retried it `retried` times, of at most `times`
 * none      no schedule, so no ticks
 */
export type TickRetries =
  | { readonly kind: "held" }
  | { readonly kind: "gave-up"; readonly retried: number }
  | { readonly kind: "retrying"; readonly retried: number; readonly times: number }
  | { readonly kind: "none" };

const TASKS_A_TRIP = 1000;

/** In the order of the ids. */
export async function tickRetries(
  { engine, project }: Pick<Workplace, "engine" | "project">,
  ids: readonly string[],
): Promise<readonly TickRetries[]> {
  // It is not recorded whose tick will come: the most patient schedule decides.
  const times = Math.max(0, ...project.schedules.map(({ retryFailed }) => retryFailed.times));
  const found: TickRetries[] = [];
  for (const part of chunk(ids, TASKS_A_TRIP)) {
    const { redis, keys } = engine;
    const fields = await Promise.all(
      part.map((id) => redis.hmget(keys.attempt(id), "held", "ticks")),
    );
    for (const [held, ticks] of fields) found.push(judge(held !== null, Number(ticks ?? 0), times));
  }
  return found;
}

function judge(held: boolean, retried: number, times: number): TickRetries {
  if (held) return { kind: "held" };
  if (times === 0) return { kind: "none" };
  return retried >= times ? { kind: "gave-up", retried } : { kind: "retrying", retried, times };
}
