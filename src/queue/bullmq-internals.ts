/**
 * Everything that Sluice relies on inside BullMQ beyond its public API, in one place:
 *
 * 1. `<prefix>:<queue>:<id>:dependencies` is the set of job keys a job waits for,
 *    `…:processed` the hash of those that are done, `…:lock` holds the worker's token;
 * 2. the sorted sets `waiting-children`, `failed`, `delayed`, `completed`, `prioritized` and the lists `wait`,
 *    `active`, `paused` of a queue hold job ids, and every job is in one of them;
 * 3. the Lua includes of `lua/*.lua` release a parent, honouring priority, delay and pause;
 * 4. `FlowProducer#getBackend().addJobToTransaction()` inserts a job, also without a transaction, and one
 *    with `addToWaitingChildren` is created blocked; an id that exists is left alone;
 * 5. of BullMQ's scripts Redis hears again when it forgot or refused them, outside of a transaction;
 * 6. a backoff of a type that BullMQ does not know asks the worker's `backoffStrategy`;
 * 7. a job with open dependencies is refused completion, and can be moved to `waiting-children`;
 * 8. a job of any state is taken out by an include below, and one whose id is put into `failed`, with
 *    `failedReason` and `finishedOn` in its hash, is a failed job that can be retried;
 * 9. a delayed job is put back into its queue as BullMQ's own promote does it, with `delay` 0, and a job
 *    with a priority to the head of that priority as its own hand-back does it;
 * 10. an idle worker wakes when `marker` gets a member `0`, which the hand-back of a job with a priority
 *    forgets;
 * 11. the text of the script `moveToFinished-14` completes a job when it is given the keys and options of
 *    `lua/includes/completeJob.lua`; a backend sends it by `execCommand`, and reads its answer in
 *    `moveToFinished`.
 *
 * BullMQ is pinned exactly; `checkBullmq` refuses another version at start, and the tests of
 * `tests/integration/queue` fail when one of these changes.
 */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { z } from "zod";
import { PermanentError } from "../core/errors.ts";

/** The version that the battery was run against. */
const PROVEN_VERSION = "6.7.0";

const manifest = createRequire(import.meta.url).resolve("bullmq/package.json");
const commands = path.join(path.dirname(manifest), "dist/cjs/commands");
const includes = path.join(commands, "includes");
const ownIncludes = path.join(import.meta.dirname, "lua/includes");

export function checkBullmq(): void {
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(manifest, "utf8")));
  if (version !== PROVEN_VERSION) {
    throw new PermanentError(
      "BULLMQ_UNPROVEN",
      `BullMQ ${version} is installed, but this version of Sluice is proven with ${PROVEN_VERSION} only: install exactly that`,
    );
  }
}

const INCLUDE = /^[ \t]*--- @include "(?:includes\/)?(\w+)"[ \t]*$/gm;
const COMMAND = /^[ \t]*--- @command "([\w-]+)" as (\w+)[ \t]*$/gm;

/**
 * Replaces `--- @include "name"` by our include of that name, or else BullMQ's own, each once; and
 * `--- @command "file" as name` by a function that does what that script of BullMQ does.
 */
export function withBullmqIncludes(lua: string): string {
  const seen = new Set<string>();
  const expand = (source: string): string =>
    source
      .replace(COMMAND, (_, file: string, name: string) =>
        asFunction(name, readFileSync(path.join(commands, `${file}.lua`), "utf8")),
      )
      .replace(INCLUDE, (_, name: string) => {
        if (seen.has(name)) return "";
        seen.add(name);
        const own = path.join(ownIncludes, `${name}.lua`);
        const file = existsSync(own) ? own : path.join(includes, `${name}.lua`);
        return expand(readFileSync(file, "utf8"));
      });
  return expand(lua);
}

/**
 * A script as a function of KEYS and ARGV. What it includes stands before it: functions within it would be
 * made anew at each call, which costs more than most of the calls of Redis in it.
 */
export function asFunction(name: string, lua: string): string {
  const included = lua.match(INCLUDE) ?? [];
  return [...included, `local function ${name}(KEYS, ARGV)`, lua.replace(INCLUDE, ""), "end"].join(
    "\n",
  );
}
