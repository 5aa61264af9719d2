/**
 * Ends what an earlier attempt of the same task left running. A client that dies does not end its
 * statement: Redshift goes on with a CREATE TABLE AS for hours, and holds its locks, and may commit.
 */
import { setTimeout as pause } from "node:timers/promises";
import { SluiceError } from "../../core/errors.ts";
import { sessionsAtWork } from "../../sql/redshift/settings.ts";
import { endSession } from "../../sql/open-sessions.ts";
import type { Session } from "../postgres/session.ts";

const LOOKS = 60;
const BETWEEN_LOOKS = 500;

/** `label` is what the task's sessions carry. Returns when none but `session` is at work. */
export async function endPredecessors(session: Session, label: string): Promise<void> {
  const ended = new Set<number>();
  for (let looks = 0; looks < LOOKS; looks++) {
    const others = await atWork(session, label);
    if (others.length === 0) return;
    for (const pid of others) {
      if (!ended.has(pid)) await session.run(endSession(pid));
      ended.add(pid);
    }
    await pause(BETWEEN_LOOKS);
  }
  throw new SluiceError(
    "PREDECESSOR_AT_WORK",
    `an earlier attempt's statement is still at work in session ${[...ended].join(", ")}, although that session was told to end. Nothing was written. It will be tried again.`,
    { fields: { label } },
  );
}

async function atWork(session: Session, label: string): Promise<number[]> {
  const [result] = await session.run(sessionsAtWork(label));
  const rows: Record<string, unknown>[] = result?.rows ?? [];
  return rows.map((row) => Number(row["session_id"])).filter((pid) => pid !== session.pid);
}
