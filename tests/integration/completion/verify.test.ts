/** Planning with `verify`: outputs, not records, say what is complete. */
import { expect, test } from "vitest";
import { all } from "../../../src/core/all.ts";
import { defineTask, defineWrapper } from "../../../src/core/define.ts";
import type { Binding } from "../../../src/core/target.ts";
import { planRoot, submit } from "../../../src/queue/submit.ts";
import { flags, pipeline } from "../../support/pipeline.ts";
import { Check, Dump, Load, Night } from "./night.ts";
import { ALL_RAN, date, stage } from "./stage.ts";

const soon = () => ({ signal: AbortSignal.timeout(10_000) });

test("a deleted manifest: a plain run does nothing, verify runs just that task again", async () => {
  const line = await stage();
  await line.work();
  await line.run(Night({ date }));
  expect(line.ran()).toEqual(ALL_RAN);

  await line.stores.s3.delete(await line.manifests());
  const plain = await submit(line, Night({ date }), soon());
  expect([...plain.tasks.values()].map(({ state }) => state)).toEqual(["complete"]);

  const watched = await line.verify(Night({ date }));
  expect([...watched.values()].every(({ state }) => state === "complete")).toBe(true);
  expect(line.ran()).toEqual(["Dump()"]);
  expect(await line.manifests()).toEqual(["dumps/2026-11-21/manifest.json"]);
  expect(await line.values()).toHaveLength(6);
});

test("a deleted marker: its task runs again, and what above it has no outputs to prove it", async () => {
  const line = await stage();
  await line.work();
  await line.run(Night({ date }));
  line.ran();
  await line.sql("DELETE FROM table_updates WHERE target_table = 'second'");
  await line.run(Night({ date }));
  expect(line.ran()).toEqual([]);
  await line.verify(Night({ date }));
  expect(line.ran()).toEqual(["Check()", "Load(table=second)"]);
  expect(await line.values()).toHaveLength(6);
  await line.verify(Night({ date }));
  expect(line.ran()).toEqual([]);
});

test("a plan with verify says what would run, and writes nothing", async () => {
  const line = await stage();
  await line.work();
  await line.run(Night({ date }));
  await line.sql("DELETE FROM table_updates WHERE target_table = 'second'");
  const plan = await planRoot(line, Night({ date }), { ...soon(), verify: true });
  expect(Object.fromEntries([...plan.tasks.values()].map((p) => [p.task.id, p.state]))).toEqual({
    [Night({ date }).id]: "absent",
    [Check({ date }).id]: "absent",
    [Load({ table: "first", date }).id]: "complete",
    [Load({ table: "second", date }).id]: "absent",
    [Dump({ date }).id]: "complete",
  });
  expect(await line.engine.redis.exists(line.engine.keys.done(Night({ date }).id))).toBe(1);
});

test("every output is asked for once, and none for a complete root without verify", async () => {
  const { flag } = await flags();
  let asked = 0;
  const counted = (name: string) => {
    const target = flag(name);
    return {
      ...target,
      bind: (binding: Binding) => {
        const handle = target.bind(binding);
        return {
          ...handle,
          exists: () => {
            asked += 1;
            return handle.exists();
          },
        };
      },
    };
  };
  const Leaf = defineTask({ name: "Leaf", output: () => counted("leaf") }, ({ output }) =>
    output.raise(),
  );
  const side = (name: string) =>
    defineTask({ name, requires: () => Leaf(), output: () => counted(name) }, ({ output }) =>
      output.raise(),
    );
  const [Left, Right] = [side("Left"), side("Right")];
  const Root = defineWrapper({ name: "Root", requires: () => [Left(), Right()] });
  const line = await pipeline([Leaf, Left, Right, Root]);
  await line.work();
  await line.run(Root());
  asked = 0;
  await submit(line, Root(), soon());
  expect(asked).toBe(0);
  await submit(line, Root(), { ...soon(), verify: true });
  expect(asked).toBe(3);
});

test("the output of a task that was yielded is found missing, too", async () => {
  const { flag, count, counted } = await flags();
  const Part = defineTask({ name: "Part", output: () => flag("part") }, async ({ output }) => {
    await count("part");
    await output.raise();
  });
  const Fan = defineTask({ name: "Fan" }, async function* () {
    yield* all([Part()]);
    await count("fan");
  });
  const line = await pipeline([Part, Fan]);
  await line.work();
  await line.run(Fan());
  const { signal } = soon();
  await Part().outputs.bind({ task: Part(), stores: line.stores, signal }).remove();
  await submit(line, Fan(), { signal, verify: true });
  await expect.poll(() => counted("part")).toBe(2);
  await expect.poll(() => counted("fan")).toBe(2);
});

test("many verify at the same moment: what is missing runs once", async () => {
  const line = await stage();
  await line.work();
  await line.run(Night({ date }));
  line.ran();
  await line.stores.s3.delete(await line.manifests());
  await Promise.all(Array.from({ length: 6 }, () => line.verify(Night({ date }))));
  expect(line.ran()).toEqual(["Dump()"]);
});
