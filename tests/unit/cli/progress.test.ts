import { describe, expect, test } from "vitest";
import { displayWidth, truncate } from "../../../src/cli/progress/display-width.ts";
import { createProgress } from "../../../src/cli/progress/progress.ts";
import { defineExternal, defineTask } from "../../../src/core/define.ts";
import { p } from "../../../src/core/params/p.ts";
import type { Target } from "../../../src/core/target.ts";
import type { Task } from "../../../src/core/task.ts";
import { Screen } from "./screen.ts";
import { RAN, watchedOf } from "./watched.ts";

const flag: Target = {
  kind: "flag",
  bind: () => ({ location: "flag", exists: async () => false }),
};
const table = { table: p.text() };
const Dump = defineTask({ name: "Dump", params: table }, () => undefined);
const Load = defineTask({ name: "Load", params: table }, () => undefined);
const Feed = defineExternal({ name: "Feed", params: table, output: () => flag });
const root = Load({ table: "orders" });
const orders = Dump({ table: "orders" });
const events = Dump({ table: "events" });

const START = new Date(2026, 10, 21, 13, 2, 11).getTime();

function plain() {
  const written: string[] = [];
  let now = START;
  const progress = createProgress({
    stream: { write: (text: string) => written.push(text) },
    color: false,
    root,
    clock: () => now,
  });
  return { progress, written, pass: (seconds: number) => (now += seconds * 1000) };
}

describe("off a terminal, progress is one line a transition", () => {
  test("of transitions that are seen together, those of requirements come first, however long the chain", () => {
    const Link = defineTask(
      {
        name: "Link",
        params: { n: p.int({ min: 0, max: 20_000 }) },
        requires: ({ n }): Task[] =>
          n === 0 ? [] : n === 20_000 ? [Link({ n: 0 }), Link({ n: n - 1 })] : [Link({ n: n - 1 })],
      },
      () => undefined,
    );
    const { progress, written } = plain();
    const chain = Array.from({ length: 20_001 }, (_, n) => Link({ n: 20_000 - n }));
    progress.update(watchedOf(chain.map((task) => [task, RAN])));
    const lines = written.join("").split("\n");
    expect(lines.slice(0, 2)).toEqual(["13:02:11 Link(n=0) ran", "13:02:11 Link(n=1) ran"]);
    expect(lines.slice(-2)).toEqual(["13:02:11 Link(n=20000) ran", ""]);
    expect(lines).toHaveLength(20_002);
  });

  test("what was seen at different moments may have a circle: every task has its line", () => {
    const { progress, written } = plain();
    progress.update(
      watchedOf([
        [orders, RAN, [events]],
        [events, RAN, [orders]],
      ]),
    );
    expect(written.join("").split("\n").sort()).toEqual([
      "",
      "13:02:11 Dump(table=events) ran",
      "13:02:11 Dump(table=orders) ran",
    ]);
  });

  test("a task runs, waits for its next attempt, runs and fails, another one ran", () => {
    const { progress, written, pass } = plain();
    progress.update(
      watchedOf([
        [root, "blocked"],
        [orders, "running"],
        [events, "queued"],
      ]),
    );
    expect(written.splice(0)).toEqual(["13:02:11 Dump(table=orders) running\n"]);
    pass(5);
    progress.update(
      watchedOf([
        [root, "blocked"],
        [orders, "delayed"],
        [events, "queued"],
      ]),
    );
    expect(written.splice(0)).toEqual(["13:02:16 Dump(table=orders) will be tried again\n"]);
    pass(55);
    progress.update(
      watchedOf([
        [root, "blocked"],
        [orders, "running"],
        [events, "running"],
      ]),
    );
    written.splice(0);
    progress.update(
      watchedOf([
        [root, "blocked"],
        [orders, "failed"],
        [events, RAN],
      ]),
      new Map([
        [orders.id, { message: "line 42:\n\x1b[31mbad number" }],
        [events.id, { rows: 18_204 }],
      ]),
    );
    expect(written.splice(0)).toEqual([
      "13:03:11 Dump(table=orders) failed: line 42: bad number\n13:03:11 Dump(table=events) ran, 18,204 rows\n",
    ]);
  });

  test("nothing is written while nothing changes", () => {
    const { progress, written } = plain();
    const same = watchedOf([[orders, "running"]]);
    for (let look = 0; look < 5; look++) progress.update(same);
    expect(written.length).toBe(1);
  });

  test("tasks that were complete are said to be, each on its line, or in one line when there are many", () => {
    const few = plain();
    few.progress.update(
      watchedOf([
        [orders, "complete"],
        [Feed({ table: "x" }), "delayed"],
      ]),
    );
    expect(few.written.join("")).toBe(
      "13:02:11 Dump(table=orders) complete already\n13:02:11 Feed(table=x) does not exist yet, waiting for it\n",
    );
    const many = plain();
    const tasks = Array.from({ length: 21 }, (_, n) => Dump({ table: `t${n}` }));
    many.progress.update(watchedOf(tasks.map((task) => [task, "complete"])));
    expect(many.written.join("")).toBe("13:02:11 21 tasks complete already\n");
  });

  test("a terminal without colours gets plain lines too", () => {
    const screen = new Screen(80);
    const progress = createProgress({ stream: screen, color: false, root, clock: () => START });
    progress.update(watchedOf([[orders, RAN]]));
    progress.note("a note");
    progress.close();
    expect(screen.writes.join("")).toBe("13:02:11 Dump(table=orders) ran\na note\n");
  });
});

function live(columns: number, rows?: number) {
  const screen = new Screen(columns, rows);
  let now = START;
  const progress = createProgress({ stream: screen, color: true, root, clock: () => now });
  return { screen, progress, pass: (seconds: number) => (now += seconds * 1000) };
}

describe("on a terminal, progress is a block that is redrawn in place", () => {
  const running = watchedOf([
    [root, "blocked"],
    [orders, "failed"],
    [events, ["absent", "running"]],
    [Dump({ table: "users" }), RAN],
  ]);
  const details = new Map([
    [events.id, { rows: 18_204, message: "3 files" }],
    [orders.id, { message: "no such table" }],
  ]);

  test("it shows families, what failed, what runs and for how long", () => {
    const { screen, progress, pass } = live(80);
    progress.update(running, details);
    pass(4);
    progress.update(running, details);
    progress.close();
    expect(screen.lines).toEqual([
      "Load(table=orders)  1/4  00:04",
      "  Dump  ███░░░░░░░ 1/3  1 failed  1 running",
      "  Load  ░░░░░░░░░░ 0/1",
      "  ✗ Dump(table=orders) failed: no such table",
      "  ▸ Dump(table=events)  3 files  18,204 rows  00:04",
    ]);
  });

  test("a frame is one write, and none when nothing has changed", () => {
    const { screen, progress } = live(80);
    const before = screen.writes.length;
    for (let look = 0; look < 5; look++) progress.update(running, details);
    expect(screen.writes.length - before).toBe(1);
    progress.close();
  });

  test("a note stays above the block", () => {
    const { screen, progress } = live(80);
    progress.update(watchedOf([[orders, "running"]]));
    progress.note("no worker listens");
    progress.update(watchedOf([[orders, RAN]]));
    progress.close();
    expect(screen.lines).toEqual([
      "no worker listens",
      "Load(table=orders)  1/1  00:00",
      "  Dump  ██████████ 1/1",
    ]);
  });

  test("lines that are gone leave nothing behind", () => {
    const { screen, progress } = live(80);
    progress.update(running, details);
    progress.update(watchedOf([[orders, RAN]]));
    progress.close();
    expect(screen.lines.length).toBe(2);
  });

  test("the cursor is hidden while it is drawn, and comes back once", () => {
    const { screen, progress } = live(80);
    progress.update(running);
    expect(screen.cursorVisible).toBe(false);
    progress.close();
    expect(screen.cursorVisible).toBe(true);
    const writes = screen.writes.length;
    progress.close();
    progress.update(watchedOf([[orders, RAN]]));
    expect(screen.writes.length).toBe(writes);
  });

  test.each([80, 40, 20, 8, 2])("no line is wider than a terminal of %i columns", (columns) => {
    const long = Dump({ table: "a_table_with_a_very_long_name_表_".repeat(4) });
    const { screen, progress } = live(columns);
    progress.update(
      watchedOf([
        [root, "blocked"],
        [long, "running"],
        [orders, "failed"],
      ]),
      new Map([
        [long.id, { rows: 1_000_000_000, message: "a message\nof two lines ".repeat(9) }],
        [orders.id, { message: "it failed ".repeat(30) }],
      ]),
    );
    progress.close();
    expect(Math.max(...screen.lines.map(displayWidth))).toBeLessThan(columns);
    expect(screen.lines.length).toBe(5);
  });

  test("thousands of tasks in many families keep to a screen, the interesting families first", () => {
    const families = Array.from({ length: 20 }, (_, index) =>
      defineTask({ name: `Family${index}`, params: { n: p.int() } }, () => undefined),
    );
    const all = families.flatMap((family, index) =>
      Array.from({ length: 500 }, (_, n) => {
        const state = index === 17 ? "failed" : index > 17 ? "running" : "complete";
        return [family({ n }), state] as const;
      }),
    );
    const { screen, progress } = live(80, 24);
    progress.update(watchedOf(all));
    progress.close();
    const text = screen.lines.join("\n");
    expect(screen.lines.length).toBeLessThan(24);
    expect(text).toContain("8,500/10,000");
    expect(text).toContain("Family17  ░░░░░░░░░░ 0/500  500 failed");
    expect(text).toContain("… and 12 more families");
    expect(text).toContain("… and 497 more failed");
    expect(text).toContain("… and 995 more running");
  });

  test("on a low terminal the block never reaches beyond its top", () => {
    const { screen, progress } = live(80, 4);
    progress.update(running, details);
    progress.close();
    expect(screen.lines.length).toBe(3);
  });

  test("a bar is full only when all is complete, and empty only when nothing is", () => {
    const many = Array.from({ length: 200 }, (_, n) => Dump({ table: `t${n}` }));
    const bar = (complete: number) => {
      const { screen, progress } = live(80);
      progress.update(watchedOf(many.map((task, n) => [task, n < complete ? RAN : "queued"])));
      progress.close();
      return screen.lines[1];
    };
    expect(bar(0)).toBe("  Dump  ░░░░░░░░░░ 0/200");
    expect(bar(1)).toBe("  Dump  █░░░░░░░░░ 1/200");
    expect(bar(199)).toBe("  Dump  █████████░ 199/200");
    expect(bar(200)).toBe("  Dump  ██████████ 200/200");
  });

  test("a terminal that is made narrower wraps the last frame, and no piece of it remains", () => {
    const { screen, progress } = live(80);
    progress.note("above");
    progress.update(running, details);
    screen.resize(20);
    progress.update(running, details);
    progress.close();
    expect(screen.lines).toEqual([
      "above",
      "Load(table=…  00:00",
      "  Dump  1/3  1 fai…",
      "  Load  0/1",
      "  ✗ Dump(table=ord…",
      "  ▸ Dump(ta…  00:00",
    ]);
  });
});

describe("the width of a text on a terminal", () => {
  test.each([
    ["plain", 5],
    ["größe", 5],
    ["e\u0301", 1],
    ["表", 2],
    ["한글", 4],
    ["😀", 2],
    ["👩‍👩‍👧", 2],
    ["…█░▸✗", 5],
  ])("%s takes %i columns", (text, width) => expect(displayWidth(text)).toBe(width));

  test("a text is cut between characters as people see them", () => {
    expect(truncate("表表表", 4)).toBe("表…");
    expect(truncate("e\u0301e\u0301e\u0301", 2)).toBe("e\u0301…");
    expect(truncate("abc", 3)).toBe("abc");
    expect(truncate("abc", 0)).toBe("");
  });
});
