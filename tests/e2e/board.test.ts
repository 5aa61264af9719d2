/** An operator at Bull Board: sees why a run stands still, and lets it go on with Retry. */
import { z } from "zod";
import { expect, test } from "vitest";
import { sluice, startSluice } from "./support/command.ts";
import { freshPlace } from "./support/place.ts";
import { summaryOf } from "./support/summary.ts";
import { until } from "./support/until.ts";
import { tasksIn } from "./support/worker-log.ts";

const task = ["Report", "--date", "2026-11-21"];
const idOf = (family: string, graph: z.output<typeof planned>) =>
  graph.tasks.find((each) => each.family === family)?.id ?? "";
const planned = z.object({ tasks: z.array(z.object({ id: z.string(), family: z.string() })) });

interface Node {
  readonly id: string;
  readonly state: string;
  readonly children: readonly Node[];
}

/** A node of Bull Board's flow: a job and what it needs. */
const node: z.ZodType<Node> = z.lazy(() =>
  z.object({ id: z.string(), state: z.string(), children: z.array(node) }),
);
const flow = z.object({ flowRoot: node });

/** The family and state of a job, then what it needs, in order of names: the board's order is a set's. */
function drawn({ id, state, children }: Node): readonly unknown[] {
  return [
    `${id.split("_")[0]} ${state}`,
    ...children.toSorted((a, b) => (a.id < b.id ? -1 : 1)).map(drawn),
  ];
}

test("Retry of a failed dump releases both tasks that need it, and the root", async () => {
  const place = await freshPlace();
  const env = {
    ...place.env,
    SLUICE_CONFIG: "tests/e2e/pipelines/diamond/sluice.config.ts",
    SLUICE_DASHBOARD_PORT: "0",
  };
  const dashboard = startSluice(["dashboard"], { env });
  const worker = startSluice(["worker"], { env });
  const failed = await sluice(["run", ...task, "--json"], env);
  expect(failed.code).toBe(1);
  expect(summaryOf(failed).tasks).toEqual({ done: 0, ran: 0, complete: 0, failed: 1, pending: 3 });

  const [, address = ""] = await dashboard.says(/Bull Board at (http:\S+)\/queues/);
  const json = await sluice(["graph", ...task, "--format", "json"], env);
  const graph = planned.parse(JSON.parse(json.stdout));
  const root = idOf("Report", graph);
  const board = `${address}/queues/api/queues`;
  const graphOnBoard = async () => {
    const response = await fetch(`${board}/default/${root}/flow`);
    return drawn(flow.parse(await response.json()).flowRoot);
  };
  expect(await graphOnBoard()).toEqual([
    "Report waiting-children",
    ["CountOrders waiting-children", ["DumpOrders failed"]],
    ["LoadOrders waiting-children", ["DumpOrders failed"]],
  ]);
  const dump = idOf("DumpOrders", graph);
  const shown = await fetch(`${board}/copy/${dump}`);
  expect(await shown.text()).toMatch(/there is no table .+shop\.orders/);

  await place.source(
    `CREATE SCHEMA shop;
     CREATE TABLE shop.orders AS SELECT n AS id FROM generate_series(1, 7) AS n`,
  );
  const retry = (site: string) =>
    fetch(`${board}/copy/${dump}/retry`, {
      method: "PUT",
      headers: { origin: address, "sec-fetch-site": site },
    });
  expect((await retry("cross-site")).status).toBe(403);
  expect((await retry("same-origin")).status).toBeLessThan(300);
  await until("the root is complete", async () =>
    (await graphOnBoard()).includes("Report completed"),
  );
  expect(await graphOnBoard()).toEqual([
    "Report completed",
    ["CountOrders completed", ["DumpOrders completed"]],
    ["LoadOrders completed", ["DumpOrders completed"]],
  ]);
  expect(await place.warehouse("SELECT orders FROM mart.order_counts")).toEqual([{ orders: 7 }]);
  expect(await place.warehouse("SELECT count(*)::int AS rows FROM landing.orders")).toEqual([
    { rows: 7 },
  ]);
  expect(tasksIn("task:succeeded", [worker])).toHaveLength(3);
  const again = await sluice(["run", ...task, "--json"], env);
  expect(summaryOf(again).tasks).toMatchObject({ ran: 0, complete: 4 });
});
