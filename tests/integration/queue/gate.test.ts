/** The gate in front of an attempt, asked again because its first answer got lost on its way. */
import { expect, test } from "vitest";
import { defineTask } from "../../../src/core/define.ts";
import { p } from "../../../src/core/params/p.ts";
import { pipeline } from "../../support/pipeline.ts";

const Job = defineTask({ name: "Job", params: { end: p.text() } }, () => undefined);

const MINUTE = 60_000;

interface Situation {
  readonly allowed?: number;
  readonly by?: string;
  readonly requirement?: string;
}

test.each<[string, Situation]>([
  ["begun", {}],
  ["crashed", { allowed: 1 }],
  ["cancelled", { by: "somebody" }],
  ["blocked", { requirement: "Missing_1" }],
])(
  "%s, having found a dead predecessor: the answer is the same, the predecessor in it",
  async (verdict, { allowed = 3, by = "", requirement = "" }) => {
    const { engine } = await pipeline([Job]);
    const { keys, redis, scripts } = engine;
    const task = Job({ end: verdict });
    const job = keys.job(task.family.queue, task.id);
    await redis.set(`${job}:lock`, "token");
    const begin = (attempt: string, lease: number, ...requirements: string[]) =>
      scripts.call(
        "begin",
        job,
        keys.own,
        task.id,
        "token",
        attempt,
        lease,
        allowed,
        task.name,
        "",
        ...requirements,
      );

    expect(await begin("dead", 1)).toMatchObject({ 0: "begun", 1: 1 });
    if (by !== "") await redis.hset(keys.attempt(task.id), "cancel", by);
    const found = () => begin("heir", MINUTE, ...(requirement === "" ? [] : [requirement]));
    // Its lease of a millisecond ends by Redis's clock.
    await expect.poll(async () => (await found())[4]).toBeTruthy();
    const answer = await found();
    expect(answer).toMatchObject({ 0: verdict, 4: ["dead", 1, expect.any(Number)] });
    expect(await found()).toEqual(answer);
  },
);

test("an attempt that found nobody dead is told of none, whoever was found before", async () => {
  const { engine } = await pipeline([Job]);
  const { keys, redis, scripts } = engine;
  const task = Job({ end: "later" });
  const job = keys.job(task.family.queue, task.id);
  await redis.set(`${job}:lock`, "token");
  const begin = (attempt: string, lease: number) =>
    scripts.call("begin", job, keys.own, task.id, "token", attempt, lease, 3, task.name, "");
  await begin("dead", 1);
  await expect.poll(async () => (await begin("heir", MINUTE))[4]).toBeTruthy();
  await scripts.call("release", keys.attempt(task.id), "heir", keys.own, "", job, "token");
  expect((await begin("next", MINUTE))[4] ?? null).toBeNull();
});
