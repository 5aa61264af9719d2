/** Calls that leave as one command are answered as if each had come alone. */
import { expect, test } from "vitest";
import { defineTask } from "../../../src/core/define.ts";
import { p } from "../../../src/core/params/p.ts";
import { adoption } from "../../../src/queue/completion.ts";
import { pipeline } from "../../support/pipeline.ts";

test("an error of one gathered call is no error of the others", async () => {
  const Leaf = defineTask({ name: "Leaf", params: { n: p.int() } }, () => {});
  const { engine } = await pipeline([Leaf]);
  const [one, broken, other] = [Leaf({ n: 1 }), Leaf({ n: 2 }), Leaf({ n: 3 })] as const;
  await engine.redis.set(engine.keys.attempt(broken.id), "no hash");

  const results = await Promise.allSettled(
    [one, broken, other].map((task) => engine.scripts.send(adoption(engine, task))),
  );

  expect(results).toMatchObject([
    { status: "fulfilled", value: [0] },
    { status: "rejected", reason: { message: expect.stringContaining("WRONGTYPE") } },
    { status: "fulfilled", value: [0] },
  ]);
  const done = [one, broken, other].map(({ id }) => engine.keys.done(id));
  expect(await Promise.all(done.map((key) => engine.redis.exists(key)))).toEqual([1, 0, 1]);
});

test("a text with half of a surrogate pair is no error of the calls beside it", async () => {
  const Leaf = defineTask({ name: "Leaf", params: { text: p.text() } }, () => {});
  const { engine } = await pipeline([Leaf]);
  const tasks = ["whole 😀", "half \ud83d", '"quoted" \\ \u0000'].map((text) => Leaf({ text }));
  const calls = tasks.map((task) => engine.scripts.send(adoption(engine, task)));
  expect(await Promise.all(calls)).toEqual([[0], [0], [0]]);
  const names = tasks.map(({ id }) => engine.redis.hget(engine.keys.done(id), "name"));
  expect(await Promise.all(names)).toEqual(tasks.map(({ name }) => name.toWellFormed()));
});

test("more calls than one command takes are all answered, each with its own reply", async () => {
  const Leaf = defineTask({ name: "Leaf", params: { n: p.int() } }, () => {});
  const { engine } = await pipeline([Leaf]);
  const tasks = Array.from({ length: 250 }, (_, n) => Leaf({ n }));
  await engine.scripts.send(adoption(engine, tasks[249] ?? Leaf({ n: 249 }), 0));
  // The generation that the last one expects is another.
  const calls = tasks.map((task, n) =>
    engine.scripts.send(adoption(engine, task, n === 249 ? 1 : 0)),
  );
  expect(await Promise.all(calls)).toEqual(tasks.map((_, n) => [n === 249 ? -1 : 0]));
  const done = tasks.map(({ id }) => engine.redis.exists(engine.keys.done(id)));
  expect(await Promise.all(done)).toEqual(Array(250).fill(1));
});
