/** `why`: each reason for which a task does not run, on real queues. */
import { expect, test } from "vitest";
import { defineExternal, defineTask, defineWrapper } from "../../../src/core/define.ts";
import { p } from "../../../src/core/params/p.ts";
import type { Task } from "../../../src/core/task.ts";
import { recordHistory } from "../../../src/queue/history/record-history.ts";
import { submit } from "../../../src/queue/submit.ts";
import { why } from "../../../src/queue/why.ts";
import { flags, pipeline } from "../../support/pipeline.ts";

/** What each family does can be changed while it runs. */
async function shop() {
  const { flag } = await flags();
  const behaviour = { dump: async () => {} };
  const params = { n: p.int() };
  const Dump = defineTask(
    {
      name: "Dump",
      params,
      queue: "copy",
      output: ({ n }) => flag(`dump-${n}`),
      retry: { attempts: 2, backoff: "1m..1m" },
    },
    async ({ output, progress }) => {
      progress({ rows: 49_120, bytes: 8_100_000 });
      await behaviour.dump();
      await output.raise();
      return { rows: 3 };
    },
  );
  const File = defineExternal({ name: "File", params, output: ({ n }) => flag(`file-${n}`) });
  const Load = defineTask(
    { name: "Load", params, queue: "load", requires: ({ n }) => [Dump({ n }), File({ n })] },
    () => {},
  );
  const Report = defineWrapper({ name: "Report", params, requires: ({ n }) => Load({ n }) });
  const line = await pipeline([Dump, File, Load, Report]);
  const signal = AbortSignal.timeout(50_000);
  return {
    Dump,
    File,
    Load,
    Report,
    line,
    flag,
    behaviour,
    submit: (task: Task) => submit(line, task, { signal }),
    reasons: async (task: Task) => (await why(line, task, signal)).reasons,
  };
}

test("a task that nobody asked for is not planned, and its missing outputs are named", async () => {
  const { Dump, reasons } = await shop();
  expect(await reasons(Dump({ n: 1 }))).toEqual([
    { kind: "not-planned", missing: ["flag dump-1"] },
  ]);
});

test("a task that is complete says since when and by which attempt", async () => {
  const { Dump, line, reasons } = await shop();
  await line.work();
  await line.run(Dump({ n: 1 }));
  const [reason] = await reasons(Dump({ n: 1 }));
  expect(reason).toEqual({
    kind: "complete",
    at: expect.any(Number),
    attempt: expect.stringMatching(/^[0-9a-f-]{36}$/),
  });
});

test("a queued task: no live worker, paused, and behind others, in this order", async () => {
  const { Dump, line, reasons, submit } = await shop();
  for (const n of [1, 2, 3]) await submit(Dump({ n }));
  expect(await reasons(Dump({ n: 3 }))).toEqual([
    { kind: "no-worker", queue: "copy" },
    { kind: "waiting", queue: "copy", behind: 2 },
  ]);
  await line.engine.queue("copy").pause();
  await line.work();
  expect(await reasons(Dump({ n: 3 }))).toEqual([
    { kind: "paused", queue: "copy" },
    { kind: "waiting", queue: "copy", behind: 2 },
  ]);
  expect((await reasons(Dump({ n: 1 }))).at(-1)).toMatchObject({ behind: 0 });
});

test("behind counts what came before, and what has a higher priority", async () => {
  const First = defineTask({ name: "First", params: { n: p.int() }, queue: "sql" }, () => {});
  const Late = defineTask(
    { name: "Late", params: { n: p.int() }, queue: "sql", priority: -5 },
    () => {},
  );
  const line = await pipeline([First, Late]);
  const signal = AbortSignal.timeout(10_000);
  for (const task of [Late({ n: 1 }), Late({ n: 2 }), First({ n: 1 })]) {
    await submit(line, task, { signal });
  }
  expect((await why(line, Late({ n: 2 }), signal)).reasons.at(-1)).toEqual({
    kind: "waiting",
    queue: "sql",
    behind: 2,
  });
});

test("a running task says where, since when, and how far it has come", async () => {
  const { Dump, line, behaviour, reasons, submit } = await shop();
  const history = recordHistory(line.events, line.engine, {
    worker: "pod-7:12",
    version: "v1",
    onDropped: () => {},
  });
  let finish = () => {};
  behaviour.dump = () =>
    new Promise((resolve) => {
      finish = resolve;
    });
  await line.work();
  await submit(Dump({ n: 1 }));
  await expect
    .poll(() => reasons(Dump({ n: 1 })), { timeout: 5_000 })
    .toEqual([
      {
        kind: "running",
        worker: "pod-7:12",
        since: expect.any(Number),
        progress: { rows: 49_120, bytes: 8_100_000 },
      },
    ]);
  finish();
  await history.close(1_000);
});

test("a task between two attempts is delayed: until when, which is next, and why", async () => {
  const { Dump, line, behaviour, reasons, submit } = await shop();
  behaviour.dump = () => Promise.reject(new Error("the source is down"));
  await line.work();
  await submit(Dump({ n: 1 }));
  const task = Dump({ n: 1 });
  await expect
    .poll(() => reasons(task))
    .toMatchObject([
      { kind: "delayed", cause: "retry", attempt: 2, attempts: 2, error: "the source is down" },
    ]);
  const [reason] = await reasons(task);
  const until = reason?.kind === "delayed" ? reason.until : 0;
  expect(until - Date.now()).toBeGreaterThan(20_000);
  expect(until - Date.now()).toBeLessThan(60_000);
});

test("a task whose predecessor holds a live lease is delayed until that ends", async () => {
  const { Dump, line, reasons, submit } = await shop();
  const task = Dump({ n: 1 });
  const key = line.engine.keys.attempt(task.id);
  await line.engine.redis.hset(key, { holder: "another", expires: Date.now() + 30_000 });
  await submit(task);
  await line.work();
  await expect.poll(() => reasons(task)).toMatchObject([{ kind: "delayed", cause: "lease" }]);
});

test("an external task that is missing is looked for again", async () => {
  const { File, line, reasons, submit } = await shop();
  await line.work();
  await submit(File({ n: 1 }));
  await expect
    .poll(() => reasons(File({ n: 1 })))
    .toMatchObject([{ kind: "delayed", cause: "external" }]);
});

test("a blocked task names what it waits for in the end, what failed before what waits", async () => {
  const { Dump, File, Report, line, behaviour, reasons, submit } = await shop();
  behaviour.dump = () => Promise.reject(new Error("bad row\nline 3"));
  await line.work();
  const root = Report({ n: 1 });
  await submit(root);
  const dump = Dump({ n: 1 });
  await expect.poll(() => reasons(dump)).toMatchObject([{ kind: "delayed" }]);
  await (await line.engine.queue("copy").getJob(dump.id))?.promote();
  await expect.poll(() => reasons(dump)).toMatchObject([{ kind: "failed" }]);
  await expect.poll(() => reasons(File({ n: 1 }))).toMatchObject([{ kind: "delayed" }]);

  const [reason, ...others] = await reasons(root);
  expect(others).toEqual([]);
  expect(reason).toMatchObject({
    kind: "blocked",
    open: 3,
    causes: [
      {
        task: { id: dump.id },
        reasons: [{ kind: "failed", error: "bad row\nline 3", attempts: 2 }],
      },
      { task: { id: File({ n: 1 }).id }, reasons: [{ kind: "delayed", cause: "external" }] },
    ],
  });
});

test("a chain of blocked tasks is explained by its first", async () => {
  const Chain = defineTask(
    {
      name: "Chain",
      params: { n: p.int() },
      requires: ({ n }): Task[] => (n > 0 ? [Chain({ n: Number(n) - 1 })] : []),
    },
    () => {},
  );
  const line = await pipeline([Chain]);
  const signal = AbortSignal.timeout(30_000);
  await submit(line, Chain({ n: 200 }), { signal });
  const { reasons } = await why(line, Chain({ n: 200 }), signal);
  expect(reasons).toMatchObject([
    {
      kind: "blocked",
      open: 200,
      causes: [
        { task: { name: "Chain(n=0)" }, reasons: [{ kind: "no-worker" }, { kind: "waiting" }] },
      ],
    },
  ]);
});
