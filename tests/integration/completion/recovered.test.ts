/** Who was told that a task failed hears, once, that it recovered, whoever made its output. */
import { expect, test } from "vitest";
import { defineTask, defineWrapper } from "../../../src/core/define.ts";
import { PermanentError } from "../../../src/core/errors.ts";
import { flags, pipeline, statesOf } from "../../support/pipeline.ts";

test("a failed task whose output was made by hand recovers at the next run, once", async () => {
  const { flag } = await flags();
  const Broken = defineTask({ name: "Broken", output: () => flag("made") }, () => {
    throw new PermanentError("BAD_ROW", "a bad row");
  });
  const Root = defineWrapper({ name: "Root", requires: () => Broken() });
  const line = await pipeline([Broken, Root]);
  const heard: string[] = [];
  line.events.on("task:failed", ({ task }) => void heard.push(`${task.name} failed`));
  line.events.on("task:recovered", ({ task, seconds }) => {
    heard.push(`${task.name} recovered`);
    expect(seconds).toBeGreaterThan(0);
  });
  await line.work();
  expect(statesOf(await line.run(Root()))).toMatchObject({ "Broken()": "failed" });
  const { signal } = new AbortController();
  await Broken().outputs.bind({ task: Broken(), stores: line.stores, signal }).raise();
  for (const _ of [1, 2]) {
    expect(statesOf(await line.run(Root()))).toMatchObject({ "Root()": "complete" });
    await expect.poll(() => heard).toEqual(["Broken() failed", "Broken() recovered"]);
  }
  const { redis, keys } = line.engine;
  expect(await redis.exists(keys.attempt(Broken().id))).toBe(0);
});
