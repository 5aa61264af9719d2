/** Retry in Bull Board, on the real engine: the graph goes on from the task that failed. */
import { expect, test } from "vitest";
import { startDashboard } from "../../../dashboard/start-dashboard.ts";
import { defineTask, defineWrapper } from "../../../src/core/define.ts";
import { p } from "../../../src/core/params/p.ts";
import { flags, pipeline, statesOf } from "../../support/pipeline.ts";

test("retry of a failed dump releases both of its parents, which the board shows", async () => {
  const store = await flags();
  let sourceIsUp = false;
  const params = { day: p.int() };
  const Dump = defineTask(
    {
      name: "Dump",
      params,
      output: ({ day }) => store.flag(`dump-${day}`),
      queue: "copy",
      retry: { attempts: 1 },
    },
    async ({ output }) => {
      if (!sourceIsUp) throw new Error("the source is down");
      await output.raise();
    },
  );
  const parent = (name: string) =>
    defineTask(
      {
        name,
        params,
        requires: Dump,
        output: ({ day }) => store.flag(`${name}-${day}`),
        queue: "load",
      },
      async ({ output }) => output.raise(),
    );
  const Left = parent("Left");
  const Right = parent("Right");
  const Root = defineWrapper({ name: "Root", params, requires: (day) => [Left(day), Right(day)] });
  const line = await pipeline([Dump, Left, Right, Root]);
  const root = Root({ day: 1 });
  const dump = Dump({ day: 1 });
  const dashboard = await startDashboard({
    host: "127.0.0.1",
    port: 0,
    queues: line.project.queues.map((queue) => line.engine.queue(queue)),
    onError: (error) => line.errors.push(new Error("dashboard", { cause: error })),
  });
  const api = `${dashboard.address}/queues/api/queues`;
  try {
    await line.work();
    expect(statesOf(await line.run(root))).toMatchObject({ "Dump(day=1)": "failed" });

    // The shared dump stands under both of its parents.
    const flow = await (await fetch(`${api}/${Root.queue}/${root.id}/flow?depth=9`)).text();
    expect(flow.match(new RegExp(`"id":"${dump.id}"`, "g"))?.length).toBeGreaterThanOrEqual(2);

    sourceIsUp = true;
    const retry = await fetch(`${api}/copy/${dump.id}/retry`, { method: "PUT" });
    expect(retry.status).toBe(204);
    const jobs = [Left({ day: 1 }), Right({ day: 1 }), root];
    const states = () =>
      Promise.all(jobs.map(({ id, family }) => line.engine.queue(family.queue).getJobState(id)));
    await expect.poll(states).toEqual(["completed", "completed", "completed"]);
    expect(line.errors).toEqual([]);
  } finally {
    await dashboard.close();
  }
});
