/**
 * The planner against the reference, in a world in memory: whatever has happened to a graph, carrying
 * out a plan does what a submit of the reference does, and a plan says no more than it may.
 */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { defineTask } from "../../src/core/define.ts";
import { p } from "../../src/core/params/p.ts";
import { makePlan, type Seen, type TaskState } from "../../src/core/plan.ts";
import type { Task } from "../../src/core/task.ts";
import { apply, commands, graphs, target } from "./commands.ts";
import { Reference, type State } from "./reference.ts";

/** What a look at Redis would say. */
function seenAs(state: State): Seen {
  return state === "withdrawn" ? { state: "failed", withdrawn: true } : { state };
}

function world(edges: readonly (readonly number[])[]) {
  const Node = defineTask(
    {
      name: "Node",
      params: { n: p.int({ min: 0, max: 1_000_000 }) },
      requires: ({ n }): Task[] => (edges[n] ?? []).map((m) => Node({ n: m })),
    },
    () => {},
  );
  const numberOf = (task: Task) => Number(task.texts["n"]);
  return { Node, numberOf };
}

test("INV6 whatever happened to a graph, carrying out its plan is what a submit has to do", async () => {
  await fc.assert(
    fc.asyncProperty(graphs(10), commands(25), fc.nat(), async (edges, list, at) => {
      const reference = new Reference(edges);
      for (const command of list) {
        apply(reference, command.what, target(reference, command));
        reference.settle();
      }
      const { Node, numberOf } = world(edges);
      const root = at % edges.length;
      const plan = await makePlan(Node({ n: root }), async (tasks) =>
        tasks.map((task) => seenAs(reference.states[numberOf(task)] ?? "absent")),
      );

      // Exactly what is reachable without passing through what is complete.
      const reachable = new Set<number>();
      const visit = (task: number): void => {
        if (reachable.has(task)) return;
        reachable.add(task);
        if (reference.states[task] !== "complete") reference.needs(task).forEach(visit);
      };
      visit(root);
      const planned = [...plan.tasks.values()];
      expect(new Set(planned.map(({ task }) => numberOf(task)))).toEqual(reachable);

      const carriedOut = [...reference.states];
      for (const { task, state } of planned) {
        const becomes: Partial<Record<TaskState, State>> = { absent: "blocked", failed: "queued" };
        carriedOut[numberOf(task)] = becomes[state] ?? carriedOut[numberOf(task)] ?? "absent";
      }
      reference.submit(root);
      expect(carriedOut).toEqual(reference.states);
      for (const { task, state, requirements } of planned) {
        if (state === "complete") continue;
        expect(requirements.map(numberOf)).toEqual([...reference.needs(numberOf(task))]);
      }
    }),
    { numRuns: 1_000 },
  );
});

test("INV6 from any state, submits and workers that succeed bring a root to its end", () => {
  fc.assert(
    fc.property(graphs(12), commands(40), (edges, list) => {
      const reference = new Reference(edges);
      for (const command of list) {
        apply(reference, command.what, target(reference, command));
        reference.settle();
        // INV5, at every moment: what runs began when everything it requires was complete, so a requirement
        // that is not complete was withdrawn since.
        for (const [task, state] of reference.states.entries()) {
          if (state !== "blocked") continue;
          expect(reference.needs(task).some((need) => reference.states[need] !== "complete")).toBe(
            true,
          );
        }
      }
      reference.submit(0);
      reference.settle();
      for (
        let turn = 0;
        turn <= edges.length * 2 && reference.states[0] !== "complete";
        turn += 1
      ) {
        for (const task of edges.keys()) reference.succeed(task);
        reference.settle();
      }
      expect(reference.states[0]).toBe("complete");
    }),
    { numRuns: 2_000 },
  );
});
