/**
 * Ends what an earlier attempt of the same task left running. A client that dies does not end its
 * statement: a server goes on with a CREATE TABLE AS for hours, and holds its locks, and may commit.
 */
import { setTimeout as pause } from "node:timers/promises";
import { SluiceError } from "../core/errors.ts";
import { endSession } from "../sql/open-sessions.ts";
import type { Session } from "./postgres/session.ts";

const LOOKS = 60;
const BETWEEN_LOOKS = 500;

/** `sessions` selects those of the task, by number. Returns when none but `session` is left. */
export async function endPredecessors(session: Session, sessions: string): Promise<void> {
  const ended = new Set<number>();
  for (let looks = 0; looks < LOOKS; looks++) {
    const others = await atWork(session, sessions);
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
  );
}

async function atWork(session: Session, sessions: string): Promise<number[]> {
  const [result] = await session.run(sessions);
  const rows: Record<string, unknown>[] = result?.rows ?? [];
  return rows.map((row) => Number(Object.values(row)[0])).filter((pid) => pid !== session.pid);
}
