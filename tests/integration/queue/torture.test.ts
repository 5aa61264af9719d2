/**
 * Two overlapping roots, expanded again and again by two processes, run by three, all of them killed at
 * random: every task ends complete, and none starts before what it requires.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { expand } from "../../../src/core/plan.ts";
import { lookInRedis } from "../../../src/queue/look.ts";
import { pipeline, statesOf } from "../../support/pipeline.ts";
import { startChild } from "../../support/processes.ts";
import { keyPrefix, redisUrl } from "../../support/services.ts";
import { familiesOn } from "./children/families.ts";

const SEED = 7;
const KILLS = 12;

test(`overlapping roots survive ${KILLS} deaths of workers and expanders (seed ${SEED})`, async () => {
  const ledgerUrl = await redisUrl();
  const place = { ledgerUrl, ledger: keyPrefix() };
  const { families, ledger, Torture } = familiesOn(place);
  const line = await pipeline(families);
  const orders = { ...place, engineUrl: ledgerUrl, prefix: line.engine.keys.prefix };
  const start = (role: string) =>
    startChild(new URL(`children/${role}.ts`, import.meta.url), orders);

  const random = mulberry32(SEED);
  const roles = ["worker", "worker", "worker", "expander", "expander"];
  const children = await Promise.all(roles.map(start));
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(100 + random() * 600);
    const victim = Math.floor(random() * roles.length);
    children[victim]?.signal("SIGKILL");
    children[victim] = await start(roles[victim] ?? "worker");
  }
  const roots = [Torture({ half: 0 }), Torture({ half: 1 })];
  const duringKills = await ledger.count("runs");
  await ledger.set("hurry");
  // A task whose workers were killed three times has failed: a later submit, like a scheduler's tick,
  // tries it again.
  for (const root of roots) {
    await expect
      .poll(async () => statesOf(await line.run(root))[root.name], { timeout: 40_000 })
      .toBe("complete");
  }
  for (const [index, role] of roles.entries()) {
    if (role === "expander") children[index]?.signal("SIGKILL");
  }

  const everything = await expand(roots, async (tasks) => tasks.map(() => ({ state: "absent" })));
  const seen = await lookInRedis(
    line,
    [...everything.values()].map(({ task }) => task),
  );
  expect(seen.length).toBeGreaterThan(90);
  expect(seen.filter(({ state }) => state !== "complete")).toEqual([]);
  expect(duringKills).toBeGreaterThan(20);
  expect(await ledger.notes()).toEqual([]);
  for (const queue of ["copy", "load"]) {
    await expect
      .poll(() => line.engine.queue(queue).getJobCounts("waiting-children", "failed", "waiting"), {
        timeout: 15_000,
      })
      .toEqual({ "waiting-children": 0, failed: 0, waiting: 0 });
  }
  ledger.redis.disconnect();
}, 120_000);

/** A small seeded generator. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
