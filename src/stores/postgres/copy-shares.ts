/**
 * Several sessions that copy out the shares of one dump, as one stream of blocks. A session that is done
 * with a share takes the next. The stream ends when every share did; when one breaks, all do.
 */
import { once } from "node:events";
import { PassThrough, type Readable } from "node:stream";
import type { Session } from "./session.ts";

export function copyShares(sessions: readonly Session[], statements: readonly string[]): Readable {
  const [session] = sessions;
  const [statement] = statements;
  if (
    session !== undefined &&
    statement !== undefined &&
    sessions.length * statements.length === 1
  ) {
    return session.copyOut(statement);
  }
  const blocks = new PassThrough({ objectMode: true, highWaterMark: sessions.length });
  const left = [...statements];
  const closed = new AbortController();
  blocks.once("close", () => closed.abort());

  const copyRest = async (session: Session): Promise<void> => {
    for (let sql = left.shift(); sql !== undefined; sql = left.shift()) {
      for await (const block of session.copyOut(sql)) {
        if (!blocks.write(block)) await once(blocks, "drain", { signal: closed.signal });
      }
    }
  };
  Promise.all(sessions.map(copyRest)).then(
    () => blocks.end(),
    (error: unknown) => blocks.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  return blocks;
}
