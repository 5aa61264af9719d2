/** What `sluice why` prints. */
import { describe, expect, test } from "vitest";
import { commandFor } from "../../../src/cli/command-line.ts";
import { explainWhy } from "../../../src/cli/explain-why.ts";
import { defineExternal, defineTask } from "../../../src/core/define.ts";
import { p } from "../../../src/core/params/p.ts";
import type { Target } from "../../../src/core/target.ts";
import type { Reason } from "../../../src/queue/why.ts";

const Load = defineTask({ name: "Load", params: { table: p.text() }, queue: "load" }, () => {});
const load = Load({ table: "shop.orders" });
const file: Target = { kind: "file", bind: () => ({ location: "f", exists: async () => false }) };
const File = defineExternal({ name: "File", output: () => file });
const commands = commandFor({ config: "my pipeline.ts", dev: true });
const at = Date.parse("2026-11-22T02:31:07Z");
const ago = /^2026-11-22 02:31:07Z \(.* ago\)$/;

function linesOf(...reasons: Reason[]): string[] {
  return explainWhy(load, { state: "queued", reasons }, commands);
}

describe("the reasons as sentences", () => {
  test("a failure: the whole message, and a command that can be copied", () => {
    const [name, when, ...rest] = linesOf({
      kind: "failed",
      error: "bad row\nline 3\n",
      at,
      attempts: 1,
    });
    expect(name).toBe("Load(table=shop.orders)");
    expect(when?.replace(/^ {2}failed (.*), after 1 attempt$/, "$1")).toMatch(ago);
    expect(rest).toEqual([
      "    bad row",
      "    line 3",
      "    retry it: sluice retry Load --table shop.orders --config 'my pipeline.ts' --dev",
    ]);
  });

  test("causes are numbered, each with its own reasons", () => {
    const causes = [
      { task: load, reasons: [{ kind: "waiting" as const, queue: "load", behind: 1_200 }] },
      { task: File(), reasons: [{ kind: "not-planned" as const, missing: ["s3://b/f"] }] },
    ];
    expect(linesOf({ kind: "blocked", open: 7, causes })).toEqual([
      "Load(table=shop.orders)",
      "  blocked: 7 tasks that it needs are not complete, because of",
      "  1. Load(table=shop.orders)",
      '     waiting behind 1,200 in the queue "load"',
      "  2. File()",
      "     not planned: no run that is in the queue needs it; something else makes it",
      "       missing: s3://b/f",
    ]);
  });

  test.each<[Reason, RegExp]>([
    [{ kind: "complete", at: null, attempt: null }, /^ {2}complete: all that it needs is$/],
    [
      { kind: "complete", at, attempt: null },
      /^ {2}complete since .* ago\), its output was found$/,
    ],
    [{ kind: "complete", at, attempt: "a-1" }, /by attempt a-1$/],
    [{ kind: "not-planned", missing: [] }, /^ {2}complete by its output/],
    [{ kind: "not-planned", missing: null }, /^ {2}not planned: no run has asked for it$/],
    [{ kind: "paused", queue: "load" }, /^ {2}the queue "load" is paused: resume it/],
    [{ kind: "no-worker", queue: "load" }, /"sluice worker --queues load"$/],
    [{ kind: "waiting", queue: "load", behind: 0 }, /^ {2}next in the queue "load"$/],
    [{ kind: "blocked", open: 0, causes: [] }, /being released/],
    [{ kind: "ticks", ticks: { kind: "held" } }, /^ {2}held: somebody cancelled it/],
    [{ kind: "ticks", ticks: { kind: "gave-up", retried: 10 } }, /retried it 10 times.*a person/],
    [
      { kind: "ticks", ticks: { kind: "retrying", retried: 2, times: 10 } },
      /^ {2}ticks of the scheduler retry it: 2 of at most 10 times so far$/,
    ],
    [
      { kind: "other-version", until: at, error: "Job X was enqueued by another version" },
      /^ {2}Job X was enqueued by another version\. It is looked at again 2026-/,
    ],
    [
      { kind: "running", worker: "pod:7", since: at, progress: { rows: 49_120, bytes: 8_100_000 } },
      /^ {2}running on pod:7 since .* ago\): 49,120 rows, 8\.1 MB$/,
    ],
    [{ kind: "running", worker: null, since: null, progress: {} }, /^ {2}running$/],
  ])("%j", (reason, expected) => {
    expect(linesOf(reason)[1]).toMatch(expected);
  });

  test("a resource: how much of it is in use, by whom, and the place in its line", () => {
    const resource = { kind: "resource" as const, name: "redshift", units: 1, limit: 2, inUse: 2 };
    expect(linesOf({ ...resource, holders: ["A()", "B()"], behind: 3 }).slice(1)).toEqual([
      "  waits for 1 of the resource redshift: 2 of 2 in use, behind 3 in line",
      "    in use by A()",
      "    in use by B()",
    ]);
    expect(linesOf({ ...resource, units: 3, holders: [], behind: 0 }).slice(1)).toEqual([
      "  waits for 3 of the resource redshift: 2 of 2 in use, next in line",
      '    that is more than its limit, so it waits for ever: raise it with "sluice resources set redshift 3"',
    ]);
    expect(linesOf({ ...resource, limit: 0, holders: [], behind: 0 })[2]).toContain("limit is 0");
  });

  test.each([
    ["retry", "attempt 2 of 3"],
    ["lease", "another attempt holds its lease"],
    ["external", "then its output is looked for again"],
  ] as const)("delayed by %s", (cause, words) => {
    const until = Date.now() + 90_000;
    const lines = linesOf({ kind: "delayed", until, cause, attempt: 2, attempts: 3, error: null });
    expect(lines[1]).toMatch(/^ {2}delayed until .*Z \(in 1 min (29|30) s\): /);
    expect(lines[1]).toContain(words);
  });
});
