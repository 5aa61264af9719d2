import { describe, expect, test } from "vitest";
import { explainPlan, planJson } from "../../../src/cli/explain-plan.ts";
import { renderGraph } from "../../../src/cli/graph.ts";
import { defineExternal, defineTask, defineWrapper } from "../../../src/core/define.ts";
import { p } from "../../../src/core/params/p.ts";
import { makePlan, type TaskState } from "../../../src/core/plan.ts";
import type { Target } from "../../../src/core/target.ts";
import type { Task } from "../../../src/core/task.ts";

const flag: Target = {
  kind: "flag",
  bind: () => ({ location: "flag", exists: async () => false }),
};
const params = { table: p.text() };
const Dump = defineTask({ name: "Dump", params, queue: "copy" }, () => undefined);
const Feed = defineExternal({ name: "Feed", params, output: () => flag });
const Load = defineTask(
  { name: "Load", params, queue: "load", requires: ({ table }) => Dump({ table }) },
  () => undefined,
);
const Import = defineTask(
  { name: "Import", params, queue: "load", requires: ({ table }) => Feed({ table }) },
  () => undefined,
);
const Mart = defineTask(
  {
    name: "Mart",
    queue: "sql",
    requires: () => [Load({ table: "a" }), Load({ table: "b" }), Dump({ table: "a" })],
  },
  () => undefined,
);
const All = defineWrapper({
  name: "All",
  requires: () => [Mart(), Import({ table: "x" }), Import({ table: "y" })],
});

function planOf(root: Task, states: Readonly<Record<string, TaskState>> = {}) {
  return makePlan(root, async (tasks) =>
    tasks.map(({ name }) => ({ state: states[name] ?? "absent" })),
  );
}

const STATES: Record<string, TaskState> = {
  "Dump(table=a)": "complete",
  "Load(table=b)": "blocked",
  "Dump(table=b)": "failed",
  "Load(table=a)": "running",
  "Feed(table=x)": "delayed",
};

describe("the graph of a plan", () => {
  test("as Mermaid: data flows from left to right, the state is written and coloured", async () => {
    const plan = await planOf(Mart(), STATES);
    expect(renderGraph(plan, "mermaid")).toBe(`flowchart LR
  t0["Mart()"]:::absent
  t1["Load(table=a)<br/>running"]:::running
  t2["Load(table=b)<br/>blocked"]:::blocked
  t3["Dump(table=a)<br/>complete"]:::complete
  t4["Dump(table=b)<br/>failed"]:::failed
  t1 --> t0
  t2 --> t0
  t3 --> t0
  t3 --> t1
  t4 --> t2
  classDef absent fill:#ffffff,stroke:#475569,color:#0f172a
  classDef blocked fill:#f1f5f9,stroke:#475569,color:#0f172a
  classDef complete fill:#dcfce7,stroke:#15803d,color:#0f172a
  classDef failed fill:#fee2e2,stroke:#b91c1c,color:#0f172a
  classDef running fill:#dbeafe,stroke:#1d4ed8,color:#0f172a`);
  });

  test("as DOT: nodes are task ids", async () => {
    const task = Load({ table: "a" });
    const dump = Dump({ table: "a" });
    expect(renderGraph(await planOf(task, STATES), "dot")).toBe(`digraph sluice {
  rankdir=LR;
  node [shape=box, style="rounded,filled", fontname="sans-serif", fontcolor="#0f172a"];
  "${task.id}" [label="Load(table=a)\\nrunning", fillcolor="#dbeafe", color="#1d4ed8", class="running"];
  "${dump.id}" [label="Dump(table=a)\\ncomplete", fillcolor="#dcfce7", color="#15803d", class="complete"];
  "${dump.id}" -> "${task.id}";
}`);
  });

  test("as JSON", async () => {
    const task = Load({ table: "a" });
    const dump = Dump({ table: "a" });
    expect(JSON.parse(renderGraph(await planOf(task, STATES), "json"))).toEqual({
      root: task.id,
      tasks: [
        {
          id: task.id,
          name: "Load(table=a)",
          family: "Load",
          params: { table: "a" },
          queue: "load",
          state: "running",
          requires: [dump.id],
        },
        {
          id: dump.id,
          name: "Dump(table=a)",
          family: "Dump",
          params: { table: "a" },
          queue: "copy",
          state: "complete",
          requires: [],
        },
      ],
    });
  });

  test("names cannot break out of their label", async () => {
    const plan = await planOf(Dump({ table: 'style:"]\n<b>&amp; \\N `表`#' }));
    expect(renderGraph(plan, "mermaid")).toContain(
      `t0["Dump(table=style#58;#34;#93;#10;#60;b#62;#38;amp#59; #92;N #96;表#96;#35;)"]:::absent`,
    );
    expect(renderGraph(plan, "dot")).toContain(
      String.raw`[label="Dump(table=style:\"] <b>&amp;amp; \\N ${"`表`"}#)", `,
    );
  });

  test("an external says that it is one", async () => {
    const text = renderGraph(await planOf(Feed({ table: "x" }), STATES), "mermaid");
    expect(text).toContain('t0["Feed(table=x)<br/>external, delayed"]:::delayed');
  });
});

describe("what a plan would do", () => {
  test("is told with the queue and in dependency order, and why the rest would not run", async () => {
    expect(explainPlan(await planOf(All(), STATES))).toEqual([
      "All(): 10 tasks, 3 would run, 7 would not",
      "",
      "would run, requirements first (number, queue, task):",
      "  1  copy  Dump(table=b) (failed before, would be retried)",
      "  2  load  Load(table=b) (already queued, waits for its requirements)",
      "  3  sql   Mart()",
      "",
      "complete already (1):",
      "  - 1 Dump(table=a)",
      "",
      "running now (1):",
      "  - Load(table=a)",
      "",
      "external and missing: made elsewhere, waited for (2):",
      "  - Feed(table=x)",
      "  - Feed(table=y)",
      "",
      "blocked by what is missing (3):",
      "  - Import(table=x) needs Feed(table=x)",
      "  - Import(table=y) needs Feed(table=y)",
      "  - All() needs Feed(table=x) and 1 more",
    ]);
  });

  test("is one list when nothing is known", async () => {
    expect(explainPlan(await planOf(Load({ table: "a" })))).toEqual([
      "Load(table=a): 2 tasks, 2 would run, 0 would not",
      "",
      "would run, requirements first (number, queue, task):",
      "  1  copy  Dump(table=a)",
      "  2  load  Load(table=a)",
    ]);
  });

  test("is nothing when the root is complete", async () => {
    const plan = await planOf(Load({ table: "a" }), { "Load(table=a)": "complete" });
    expect(explainPlan(plan)).toEqual([
      "Load(table=a): 1 task, 0 would run, 1 would not",
      "",
      "complete already (1):",
      "  - 1 Load(table=a)",
    ]);
  });

  test("is told as JSON by task ids", async () => {
    const plan = await planOf(Import({ table: "x" }), STATES);
    const [feed, task] = [Feed({ table: "x" }), Import({ table: "x" })];
    expect(planJson(plan)).toEqual({
      root: task.id,
      run: [],
      rest: [
        { id: feed.id, name: "Feed(table=x)", why: "external", by: [] },
        { id: task.id, name: "Import(table=x)", why: "blocked", by: [feed.id] },
      ],
    });
    expect(planJson(await planOf(Dump({ table: "a" }))).run).toEqual([
      { id: Dump({ table: "a" }).id, name: "Dump(table=a)", queue: "copy", note: null },
    ]);
  });
});
