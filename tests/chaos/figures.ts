/** The figures of a seed, for the lines that a run prints. They judge nothing. */
import type { Facts } from "./facts.ts";
import { entriesOf } from "./ledger.ts";

export interface Figures {
  readonly runs: number;
  /** Runs beyond the first of a task, without those that only went on after a wait. */
  readonly reexecutions: number;
  /** Commits that another attempt had made before, and leases that were found lost. */
  readonly fenced: number;
  readonly lost: number;
}

export function figuresOf({
  nodes,
  ledger,
  events,
}: Pick<Facts, "nodes" | "ledger" | "events">): Figures {
  const starts = entriesOf(ledger, "started");
  const waits = entriesOf(ledger, "ended").filter(({ how }) => how === "waits").length;
  const ran = new Set(starts.map(({ node }) => node));
  const late = entriesOf(ledger, "committed").filter(({ ours }) => !ours).length;
  const denied = entriesOf(ledger, "ended").filter(({ how }) => how === "LEASE_LOST").length;
  return {
    runs: nodes.length === 0 ? 0 : starts.length,
    reexecutions: Math.max(0, starts.length - ran.size - waits),
    fenced: late + denied,
    lost: events.filter(({ event }) => event === "task:lost").length,
  };
}
