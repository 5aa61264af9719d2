/**
 * Whether a session that says nothing has stalled. Redshift does not tell what a session waits for, only
 * what became of its statements. So it counts as dead when the server closed it, or when nothing is at
 * work in it and a statement ended after we sent ours. A statement that Redshift does not list is waited
 * for: a doubt costs patience, and never a statement that runs.
 */
import { IN_UTC, sessionProgress, sessionStatus } from "../../sql/redshift/settings.ts";
import { stallSeen } from "../postgres/aside.ts";
import type { FindStall } from "../postgres/watch-for-stall.ts";

export const findStall: FindStall = (silent) =>
  stallSeen(silent, async (client) => {
    await client.query(IN_UTC);
    const sessions = await client.query<{ status: string }>(sessionStatus(silent.pid));
    const [session] = sessions.rows;
    if (session !== undefined && session.status.trim() !== "active") return "gone";
    const waited = silent.waited();
    const { rows } = await client.query<Progress>(sessionProgress(silent.pid));
    const [progress] = rows;
    if (progress === undefined || Number(progress.working) > 0) return undefined;
    return endedSince(progress, waited) ? "waiting for us" : undefined;
  });

interface Progress {
  readonly working: string;
  readonly ended: string | null;
  readonly clock: string;
}

/** By the server's clock alone: what ended before we sent our statement ended longer ago than we wait. */
function endedSince({ ended, clock }: Progress, waited: number): boolean {
  return ended !== null && milliseconds(clock) - milliseconds(ended) < waited;
}

/** `2026-11-21 02:30:00.123456`, in UTC. */
function milliseconds(timestamp: string): number {
  return Date.parse(`${timestamp.trim().replace(" ", "T")}Z`);
}
