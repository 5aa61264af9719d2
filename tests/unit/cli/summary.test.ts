/** tests/vectors/luigi-summary.json holds summaries of real runs of Luigi 3.8.1. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { executionSummary, summarize, summaryJson } from "../../../src/cli/summary.ts";
import { defineExternal, defineTask, defineWrapper } from "../../../src/core/define.ts";
import { p } from "../../../src/core/params/p.ts";
import type { Target } from "../../../src/core/target.ts";
import type { Requirements, Task } from "../../../src/core/task.ts";
import type { Watched } from "../../../src/queue/watch.ts";
import { type History, RAN, watchedOf } from "./watched.ts";

interface Vector {
  readonly name: string;
  readonly summary_text: string;
}

const vectors: Vector[] = JSON.parse(
  readFileSync(new URL("../../vectors/luigi-summary.json", import.meta.url), "utf8"),
);

const flag: Target = {
  kind: "flag",
  bind: () => ({ location: "flag", exists: async () => false }),
};
const n = { n: p.int() };
const Leaf = defineTask({ name: "Leaf", params: n }, () => undefined);
const Ext = defineExternal({ name: "Ext", params: n, output: () => flag });
const Wrap = defineWrapper({ name: "Wrap", params: { k: p.int() }, requires: () => [] });

/** A task without parameters. */
function single(name: string, requires: () => Requirements = () => undefined): Task {
  return defineTask({ name, requires }, () => undefined)();
}

const facts = { details: new Map(), failures: new Map(), seconds: 6.24 };

/** Luigi's part of the summary, under Luigi's name. */
function luigiText(watched: Watched): string {
  const [root] = watched.values();
  const text = executionSummary(summarize(root?.task ?? Leaf({ n: 0 }), watched, facts));
  const [luigi, totals] = [text.slice(0, text.lastIndexOf("\n") + 1), text.split("\n").at(-1)];
  expect(totals).toBe("6.2 s");
  return luigi.replaceAll("= Sluice Execution", "= Luigi Execution");
}

const afterExt = single("AfterExt", () => [Ext({ n: 1 }), Ext({ n: 2 }), Leaf({ n: 1 })]);
const onlyExt = single("OnlyExt", () => Ext({ n: 1 }));
const dyn = single("Dyn");
const leaves = [100, 101, 102].map((each) => Leaf({ n: each }));
const families = Array.from({ length: 9 }, (_, index) => single(`Fam0${index}`));
const onceFail = single("OnceFail");

const RUNS: Record<string, Watched> = {
  everything_already_done: watchedOf([[Wrap({ k: 5 }), "complete"]]),
  missing_external: watchedOf([
    [afterExt, "blocked"],
    [Ext({ n: 1 }), "delayed"],
    [Ext({ n: 2 }), "delayed"],
    [Leaf({ n: 1 }), RAN],
  ]),
  did_not_run_any: watchedOf([
    [onlyExt, "blocked"],
    [Ext({ n: 1 }), "delayed"],
  ]),
  dynamic_deps: watchedOf([
    [dyn, RAN, leaves],
    ...leaves.map((leaf): [Task, History] => [leaf, RAN]),
  ]),
  more_than_summary_length_families: watchedOf([
    [single("Many", () => families), RAN],
    ...families.map((family): [Task, History] => [family, RAN]),
  ]),
  success_with_retry: watchedOf([[onceFail, ["failed", "complete"]]]),
  no_tasks: new Map(),
};

/** What Luigi prints and Sluice never does, and why. */
const NEVER: Record<string, string> = {
  scheduling_failed_requires:
    "a requires() that throws refuses the whole root before anything is enqueued",
  not_run_resource:
    "a task that has to wait for its turn is waited for, or is still waiting to run",
  run_by_other_worker: "a task that another worker runs is followed until it ends",
};

describe("the execution summary is Luigi's", () => {
  test("every vector is a run here, or has the reason why it cannot be one", () => {
    const known = [...Object.keys(RUNS), ...Object.keys(NEVER)];
    expect(known.sort()).toEqual(vectors.map(({ name }) => name).sort());
  });

  test.each(vectors.filter(({ name }) => name in RUNS).map((vector) => [vector.name, vector]))(
    "%s",
    (name, { summary_text }) => expect(luigiText(RUNS[name] ?? new Map())).toBe(summary_text),
  );
});

describe("a run that went wrong", () => {
  const bar = (value: number) => Leaf({ n: value });
  const foo = single("Foo", () => [0, 1, 2, 3, 4].flatMap((each) => [Ext({ n: each }), bar(each)]));

  // Luigi's own test of this case, test_upstream_not_running, has the same lines.
  test("a task with a failed and a missing requirement is in both lists, and counted once", () => {
    const watched = watchedOf([
      [foo, "blocked"],
      [bar(0), ["absent", "failed"]],
      ...[1, 2, 3, 4].map((each): [Task, History] => [bar(each), RAN]),
      [Ext({ n: 1 }), "complete"],
      ...[0, 2, 3, 4].map((each): [Task, History] => [Ext({ n: each }), "delayed"]),
    ]);
    expect(luigiText(watched)).toBe(`
===== Luigi Execution Summary =====

Scheduled 11 tasks of which:
* 1 complete ones were encountered:
    - 1 Ext(n=1)
* 4 ran successfully:
    - 4 Leaf(n=1...4)
* 1 failed:
    - 1 Leaf(n=0)
* 5 were left pending, among these:
    * 4 were missing external dependencies:
        - 4 Ext(n=0,2,3,4)
    * 1 had failed dependencies:
        - 1 Foo()
    * 1 had missing dependencies:
        - 1 Foo()

This progress looks :( because there were failed tasks

===== Luigi Execution Summary =====
`);
  });

  test("an interrupted run says what still runs, what waits, and what waits for those", () => {
    const wrap = single("All", () => [bar(1), bar(2), bar(3)]);
    const top = single("Top", () => wrap);
    const watched = watchedOf([
      [top, "blocked"],
      [wrap, "blocked"],
      [bar(1), ["absent", "running"]],
      [bar(2), "queued"],
      [bar(3), "delayed"],
    ]);
    expect(luigiText(watched)).toBe(`
===== Luigi Execution Summary =====

Scheduled 5 tasks of which:
* 5 were left pending, among these:
    * 1 were still running:
        - 1 Leaf(n=1)
    * 2 were still waiting to run:
        - 2 Leaf(n=2,3)
    * 2 had dependencies that were still running or waiting:
        - 1 All()
        - 1 Top()

Did not run any tasks
This progress looks :| because there were tasks that were still running or waiting

===== Luigi Execution Summary =====
`);
  });

  test("a failure reaches all that depends on it, through a chain of 20,000", () => {
    const chain: Task[] = [bar(0)];
    const watched = watchedOf([[bar(0), "failed"]]);
    const all = new Map(watched);
    for (let index = 1; index < 20_000; index++) {
      const task = bar(index);
      const requirements = chain.slice(-1);
      all.set(task.id, { task, before: "blocked", state: "blocked", requirements });
      chain.push(task);
    }
    expect(luigiText(all)).toContain("* 19999 had failed dependencies:\n");
  });

  test("a retry that succeeded is no good news while something is missing", () => {
    const watched = watchedOf([
      [onceFail, ["failed", "complete"]],
      [Ext({ n: 1 }), "delayed"],
    ]);
    expect(luigiText(watched)).toContain("looks :| because there were missing external");
  });
});

describe("the totals", () => {
  const details = new Map([
    [Leaf({ n: 1 }).id, { rows: 49_000, bytes: 8_000_000 }],
    [Leaf({ n: 2 }).id, { rows: 120, bytes: 123_456 }],
    [Leaf({ n: 3 }).id, { rows: 7 }],
  ]);
  const run = (last: History) =>
    summarize(
      Leaf({ n: 1 }),
      watchedOf([
        [Leaf({ n: 1 }), RAN],
        [Leaf({ n: 2 }), RAN],
        [Leaf({ n: 3 }), last],
        [Leaf({ n: 4 }), "queued"],
      ]),
      { details, failures: new Map(), seconds: 6.2004 },
    );

  test("count rows and bytes of what ran this time, after Luigi's text", () => {
    expect(executionSummary(run("complete")).split("\n").at(-1)).toBe(
      "49,120 rows · 8.1 MB · 6.2 s",
    );
  });

  test("are in the JSON line, with the root's id and what became of all tasks", () => {
    expect(summaryJson(run("complete"))).toEqual({
      root: Leaf({ n: 1 }).id,
      status: "pending",
      tasks: { done: 3, ran: 2, complete: 1, failed: 0, pending: 1 },
      rows: 49_120,
      seconds: 6.2,
    });
    expect(summaryJson(run("failed")).status).toBe("failed");
    const done = summarize(Leaf({ n: 1 }), watchedOf([[Leaf({ n: 1 }), RAN]]), facts);
    expect(summaryJson(done).status).toBe("done");
  });
});
