import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { commandOf } from "../../../src/cli/command-line.ts";
import { failureReport } from "../../../src/cli/failure-report.ts";
import { summarize } from "../../../src/cli/summary.ts";
import { taskFromArguments } from "../../../src/cli/task-arguments.ts";
import { defineConfig } from "../../../src/core/config.ts";
import { defineTask } from "../../../src/core/define.ts";
import { p } from "../../../src/core/params/p.ts";
import { watchedOf } from "./watched.ts";

const Note = defineTask(
  {
    name: "Note",
    params: {
      text: p.text(),
      n: p.int(),
      day: p.date().optional(),
      quiet: p.text({ significant: false }),
    },
  },
  () => undefined,
);

describe("the command that runs a task again", () => {
  test.each([
    "plain",
    "two words",
    "it's",
    '"$HOME" `id` \\n !1',
    "-5",
    "--json",
    "a=b; rm -rf *",
    "first\nsecond",
    "größe 表 😀",
    "~",
    "#",
  ])("survives a POSIX shell: %j", (text) => {
    const task = Note.parse({ text, n: "-3", quiet: "q" });
    const command = commandOf("run", task).replace(/^sluice/, "show");
    const script = `show() { for word; do printf '%s\\0' "$word"; done; }; ${command}`;
    const words = execFileSync("/bin/sh", ["-c", script], { encoding: "utf8" }).split("\0");
    const [run, family = "", ...options] = words.slice(0, -1);
    expect(run).toBe("run");
    const again = taskFromArguments(defineConfig({ tasks: [Note] }), family, options);
    expect(again.texts).toEqual(task.texts);
  });

  test("quotes nothing that needs no quotes", () => {
    const task = Note.parse({ text: "public.orders", n: "7", day: "2026-11-21", quiet: "x" });
    expect(commandOf("run", task)).toBe(
      "sluice run Note --text public.orders --n 7 --day 2026-11-21 --quiet x",
    );
  });
});

describe("the report of failed tasks", () => {
  const tasks = Array.from({ length: 12 }, (_, n) => Note({ text: "a", n, quiet: "q" }));
  const report = (count: number, failures: ReadonlyMap<string, string>) => {
    const failed = tasks.slice(0, count).map((task) => [task, "failed"] as const);
    const facts = { details: new Map(), failures, seconds: 1 };
    return failureReport(summarize(tasks[0]!, watchedOf(failed), facts));
  };

  test("has the task, its error and the command", () => {
    expect(report(2, new Map([[tasks[0]!.id, "line 42: bad number\nin orders.csv\n"]]))).toEqual([
      "Note(text=a, n=0) failed",
      "    line 42: bad number",
      "    in orders.csv",
      "    run it again: sluice run Note --text a --n 0 --quiet q",
      "",
      "Note(text=a, n=1) failed",
      "    no error message was recorded",
      "    run it again: sluice run Note --text a --n 1 --quiet q",
    ]);
  });

  test("stops after ten tasks and says how many follow", () => {
    const lines = report(12, new Map());
    expect(lines.filter((line) => line.endsWith(" failed")).length).toBe(10 + 1);
    expect(lines.slice(-2)).toEqual(["", "… and 2 more failed"]);
  });

  test("is empty when nothing failed", () => expect(report(0, new Map())).toEqual([]));
});
