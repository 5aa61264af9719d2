import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { defineTask, defineWrapper } from "../../../src/core/define.ts";
import { PermanentError } from "../../../src/core/errors.ts";
import { p } from "../../../src/core/params/p.ts";
import {
  CycleError,
  expand,
  type Look,
  makePlan,
  type Plan,
  type TaskState,
} from "../../../src/core/plan.ts";
import { brandTask, type Task } from "../../../src/core/task.ts";

/** Tasks by name, with the edges of a table: `{ A: ["B"] }`. Those in `wrappers` run nothing. */
function graphOf(edges: Record<string, readonly string[]>, wrappers: readonly string[] = []) {
  const requires = ({ name }: { name: string }) => (edges[name] ?? []).map((each) => task(each));
  const params = { name: p.text() };
  const Node = defineTask({ name: "Node", params, requires }, () => {});
  const Wrap = defineWrapper({ name: "Wrap", params, requires });
  const task = (name: string): Task => (wrappers.includes(name) ? Wrap({ name }) : Node({ name }));
  return task;
}

/** Knows the states of a table; everything else is absent. */
function looking(states: Record<string, TaskState> = {}): Look & { asked: string[] } {
  const asked: string[] = [];
  const look: Look = async (tasks) => {
    asked.push(...tasks.map(nameOf));
    return tasks.map((task) => ({ state: states[nameOf(task)] ?? "absent" }));
  };
  return Object.assign(look, { asked });
}

const nameOf = (task: Task) => String(task.params["name"]);
const namesOf = (plan: Plan) => [...plan.tasks.values()].map(({ task }) => nameOf(task));
const stateOf = (plan: Plan, task: Task) => plan.tasks.get(task.id)?.state;

describe("a plan", () => {
  test("goes breadth first from the root, each task once", async () => {
    const task = graphOf({ A: ["B", "C"], B: ["D"], C: ["D", "E"], E: ["D"] });
    expect(namesOf(await makePlan(task("A"), looking()))).toEqual(["A", "B", "C", "D", "E"]);
  });

  test("neither looks nor lists below what is complete", async () => {
    const task = graphOf({ A: ["B", "C"], B: ["D"], C: [], D: [] });
    const look = looking({ B: "complete" });
    const plan = await makePlan(task("A"), look);
    expect(namesOf(plan)).toEqual(["A", "B", "C"]);
    expect(look.asked).toEqual(["A", "B", "C"]);
    expect(plan.tasks.get(task("B").id)?.requirements).toEqual([]);
  });

  test("asks for each task once, and for many at a time", async () => {
    const names = Array.from({ length: 2_500 }, (_, n) => `leaf ${n}`);
    const task = graphOf({ A: names });
    const calls: number[] = [];
    await makePlan(task("A"), async (tasks) => {
      calls.push(tasks.length);
      return tasks.map(() => ({ state: "absent" }));
    });
    expect(calls).toEqual([1, 1000, 1000, 500]);
  });

  test("has a wrapper complete when all it requires is complete, and only then", async () => {
    const task = graphOf({ A: ["W", "V"], W: ["U", "B"], U: ["C"], V: ["B", "D"] }, [
      "W",
      "V",
      "U",
    ]);
    const plan = await makePlan(task("A"), looking({ B: "complete", C: "complete" }));
    expect(stateOf(plan, task("U"))).toBe("complete");
    expect(stateOf(plan, task("W"))).toBe("complete");
    expect(stateOf(plan, task("V"))).toBe("absent");
    expect(stateOf(plan, task("A"))).toBe("absent");
  });

  test("leaves a wrapper alone that has a job", async () => {
    const task = graphOf({ W: ["B"] }, ["W"]);
    const plan = await makePlan(task("W"), looking({ W: "blocked", B: "complete" }));
    expect(stateOf(plan, task("W"))).toBe("blocked");
  });

  test("goes on below tasks that a run asked for, after those of requires", async () => {
    const task = graphOf({ A: ["B"], Y: ["Z"] });
    const plan = await makePlan(task("A"), async (tasks) =>
      tasks.map((each) => ({
        state: "blocked",
        yielded: nameOf(each) === "A" ? [task("Y"), task("B")] : [],
      })),
    );
    expect(namesOf(plan)).toEqual(["A", "B", "Y", "Z"]);
    expect(plan.tasks.get(task("A").id)?.requirements.map(nameOf)).toEqual(["B", "Y"]);
  });

  test("of several roots is one graph", async () => {
    const task = graphOf({ A: ["C"], B: ["C"] });
    const tasks = await expand([task("A"), task("B"), task("A")], looking());
    expect([...tasks.values()].map((each) => nameOf(each.task))).toEqual(["A", "B", "C"]);
  });

  test("names the task whose requires() throws", async () => {
    const Broken = defineTask(
      {
        name: "Broken",
        requires: () => {
          throw new Error("no such country");
        },
      },
      () => {},
    );
    const Root = defineWrapper({ name: "Root", requires: () => Broken() });
    const plan = makePlan(Root(), looking());
    await expect(plan).rejects.toThrow(PermanentError);
    await expect(plan).rejects.toThrow("Broken(): requires() threw: no such country.");
  });
});

describe("a circle", () => {
  const circle = async (edges: Record<string, readonly string[]>, root = "A") =>
    makePlan(graphOf(edges)(root), looking()).then(
      () => "no error",
      (error: unknown) => (error instanceof CycleError ? error.message : String(error)),
    );
  const shown = (...names: string[]) =>
    `Tasks depend on each other in a circle: ${names.map((name) => `Node(name=${name})`).join(" -> ")}`;

  test.each([
    ["of one", { A: ["A"] }, ["A", "A"]],
    ["of two", { A: ["B"], B: ["A"] }, ["A", "B", "A"]],
    ["of three", { A: ["B"], B: ["C"], C: ["A"] }, ["A", "B", "C", "A"]],
    ["below the root", { A: ["B"], B: ["C"], C: ["D"], D: ["C"] }, ["C", "D", "C"]],
    ["beside what is fine", { A: ["X", "B"], X: ["Y"], B: ["C"], C: ["Y", "B"] }, ["B", "C", "B"]],
  ])("%s is shown by its path", async (_, edges, path) => {
    expect(await circle(edges)).toBe(shown(...path));
  });

  test("behind a chain of 1,000 is found", async () => {
    const edges = Object.fromEntries(
      Array.from({ length: 1000 }, (_, n) => [`${n}`, [`${n + 1}`]]),
    );
    expect(await circle({ ...edges, 1000: ["998"] }, "0")).toBe(shown("998", "999", "1000", "998"));
  });

  test("that is long is shown by its ends", async () => {
    const edges = Object.fromEntries(
      Array.from({ length: 50 }, (_, n) => [`${n}`, [`${(n + 1) % 50}`]]),
    );
    expect(await circle(edges, "0")).toMatch(/name=5\) -> … -> Node\(name=46\)/);
  });

  test("below a complete task is not there", async () => {
    const task = graphOf({ A: ["B"], B: ["C"], C: ["B"] });
    const plan = await makePlan(task("A"), looking({ B: "complete" }));
    expect(namesOf(plan)).toEqual(["A", "B"]);
  });

  test("through what a run asked for is found", async () => {
    const task = graphOf({ A: ["B"] });
    const plan = makePlan(task("A"), async (tasks) =>
      tasks.map((each) => ({ state: "blocked", yielded: nameOf(each) === "B" ? [task("A")] : [] })),
    );
    await expect(plan).rejects.toThrow(shown("A", "B", "A"));
  });
});

describe("size does not matter", () => {
  test("for a chain of 10,000", async () => {
    const edges = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, n) => [`${n}`, [`${n + 1}`]]),
    );
    expect((await makePlan(graphOf(edges)("0"), looking())).tasks.size).toBe(10_001);
  });

  test("for 100,000 requirements of one task", async () => {
    const leaf = graphOf({})("leaf");
    // Made by hand: real ones take seconds, and are not what is tested.
    const leaves = Array.from({ length: 100_000 }, (_, n) =>
      brandTask<Task>({
        id: `${n}`,
        family: leaf.family,
        params: leaf.params,
        texts: leaf.texts,
        name: leaf.name,
        outputs: undefined,
        [Symbol.iterator]: () => leaf[Symbol.iterator](),
      }),
    );
    const Root = defineWrapper({
      name: "Root",
      params: { name: p.text() },
      requires: () => leaves,
    });
    expect((await makePlan(Root({ name: "root" }), looking())).tasks.size).toBe(100_001);
  });

  test("for a ladder of 30 diamonds, which has 2^30 paths", async () => {
    const edges: Record<string, string[]> = {};
    for (let n = 0; n < 30; n++) {
      edges[`${n}`] = [`${n}l`, `${n}r`];
      edges[`${n}l`] = edges[`${n}r`] = [`${n + 1}`];
    }
    const look = looking();
    expect((await makePlan(graphOf(edges)("0"), look)).tasks.size).toBe(91);
    expect(look.asked.length).toBe(91);
  });
});

test("over random graphs, a plan is what a plain recursion says", async () => {
  const STATES = ["complete", "absent", "blocked", "queued", "running", "failed"] as const;
  const graphs = fc.array(
    fc.record({
      wrapper: fc.boolean(),
      state: fc.constantFrom<TaskState>(...STATES),
      // Offsets to later tasks: no circles.
      to: fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 4 }),
    }),
    { minLength: 1, maxLength: 14 },
  );
  await fc.assert(
    fc.asyncProperty(graphs, async (nodes) => {
      const edgesOf = (n: number) => [
        ...new Set((nodes[n]?.to ?? []).map((by) => n + by).filter((m) => m < nodes.length)),
      ];
      const edges = Object.fromEntries(nodes.map((_, n) => [`${n}`, edgesOf(n).map(String)]));
      const states = Object.fromEntries(nodes.map(({ state }, n) => [`${n}`, state]));
      const wrappers = nodes.flatMap(({ wrapper }, n) => (wrapper ? [`${n}`] : []));

      // The reference: what is reachable, and what is complete, by definition.
      const reached = new Set<number>();
      const visit = (n: number): void => {
        reached.add(n);
        if (nodes[n]?.state !== "complete") for (const m of edgesOf(n)) visit(m);
      };
      visit(0);
      const complete = (n: number): boolean =>
        nodes[n]?.state === "complete" ||
        (nodes[n]?.wrapper === true &&
          nodes[n]?.state === "absent" &&
          edgesOf(n).every((m) => complete(m)));

      const plan = await makePlan(graphOf(edges, wrappers)("0"), looking(states));
      const planned = [...plan.tasks.values()].map(({ task, state }) => [nameOf(task), state]);
      const expected = [...reached].map((n) => [
        `${n}`,
        complete(n) ? "complete" : nodes[n]?.state,
      ]);
      expect(Object.fromEntries(planned)).toEqual(Object.fromEntries(expected));
    }),
    { numRuns: 500 },
  );
});
