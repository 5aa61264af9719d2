/**
 * CPU seconds of processes and of what they started, from Linux's /proc. On a busy machine they say
 * more than time does. Elsewhere there are none, and the bench prints time alone.
 */
import { existsSync, readFileSync } from "node:fs";

const TICKS = 100;

/** Own CPU seconds, and those of children that have ended and were waited for. */
function cpuOf(pid: number | "self"): { readonly own: number; readonly ended: number } {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return { own: 0, ended: 0 };
  const text = readFileSync(file, "latin1");
  const fields = text
    .slice(text.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15);
  return { own: (user + system) / TICKS, ended: (endedUser + endedSystem) / TICKS };
}

export interface CpuSeconds {
  readonly client: number;
  readonly postgres: number;
  readonly s3: number;
}

/** What happened since: our ended children are the client, Postgres's ended backends the server. */
export function cpuClock(pids: { postgres: number; s3: number }): () => CpuSeconds {
  const look = () => ({
    client: cpuOf("self").ended,
    postgres: cpuOf(pids.postgres).ended,
    s3: cpuOf(pids.s3).own,
  });
  const before = look();
  return () => {
    const now = look();
    return {
      client: now.client - before.client,
      postgres: now.postgres - before.postgres,
      s3: now.s3 - before.s3,
    };
  };
}
