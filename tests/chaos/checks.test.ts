/** What the checks see, and that each excuse is as narrow as its cause. */
import { describe, expect, test } from "vitest";
import { violationsOf } from "./checks.ts";
import type { Facts, NodeFacts, ToldEvent } from "./facts.ts";
import type { AppliedFault, FaultName } from "./faults.ts";
import { chaosFamilies } from "./families.ts";
import { graphOf } from "./graph.ts";
import type { LedgerEntry, Written } from "./ledger.ts";

const graph = graphOf(1);
const [node] = graph.nodes;
if (node === undefined) throw new Error("a graph has nodes");
const task = chaosFamilies("fenced", () => {}).taskOf(node, graph);
const self = { node: node.n, attempt: "a" };

const nodeFacts = (more: Partial<NodeFacts> = {}): NodeFacts => ({
  node,
  task,
  state: "complete",
  broken: undefined,
  writtenBy: undefined,
  history: [],
  ...more,
});

function violated(more: Partial<Facts>): string[] {
  const facts: Facts = {
    graph,
    mode: "fenced",
    nodes: [nodeFacts()],
    roots: ["complete", "complete"],
    converged: true,
    invalidated: new Map(),
    ledger: [],
    events: [],
    exits: [],
    faults: [],
    leftJobs: [],
    leftSessions: [],
    leftUnits: [],
    leftUploads: [],
    ...more,
  };
  return violationsOf(facts).map(({ invariant }) => invariant.split(" ")[0] ?? "");
}

const wrote = (at: number, entry: LedgerEntry, pid = 1): Written => ({ at, pid, ...entry });
const told = (at: number, event: ToldEvent["event"], pid = 2): ToldEvent => ({
  at,
  pid,
  event,
  task: task.id,
  attempt: "a",
});
const fault = (name: FaultName, began: number, ended: number, detail = ""): AppliedFault => ({
  name,
  began,
  ended,
  detail,
});

test("nothing wrong is no violation", () => {
  expect(violated({})).toEqual([]);
});

describe("a run that holds the lease and finds its output", () => {
  const ledger = [
    wrote(5_010, { kind: "started", number: 1, ...self }),
    wrote(5_020, { kind: "late", held: true, ...self }),
  ];
  const froze = fault("freezeWorker", 2_000, 5_000, "1");
  test.each([
    ["nothing happened", [], ["INV4"]],
    ["its worker woke up, and Redis never went back", [froze], ["INV4"]],
    ["Redis went back, before the freeze", [fault("truncateRedis", 900, 1_000), froze], ["INV4"]],
    [
      "another worker was frozen",
      [{ ...froze, detail: "2" }, fault("truncateRedis", 3_000, 3_100)],
      ["INV4"],
    ],
    [
      "it woke up, and Redis went back meanwhile",
      [froze, fault("truncateRedis", 3_000, 3_100)],
      [],
    ],
    [
      "it was frozen after its first line, and Redis went back meanwhile",
      [fault("freezeWorker", 5_012, 5_018, "1"), fault("truncateRedis", 5_014, 5_016)],
      [],
    ],
    [
      "it was frozen and Redis went back, but only later",
      [fault("freezeWorker", 6_000, 9_000, "1"), fault("truncateRedis", 7_000, 7_100)],
      ["INV4"],
    ],
  ])("%s", (_, faults, expected) => {
    expect(violated({ ledger, faults })).toEqual(expected);
  });
});

describe("an end that is told twice", () => {
  const events = [told(1_000, "task:retrying"), told(3_000, "task:lost")];
  test.each([
    ["without a reason", [], ["INV8"]],
    ["before Redis went back", [fault("truncateRedis", 3_500, 3_600)], ["INV8"]],
    ["because Redis went back in between", [fault("truncateRedis", 2_000, 2_100)], []],
  ])("%s", (_, faults, expected) => {
    expect(violated({ events, faults })).toEqual(expected);
  });

  test("both times as a failure, whatever Redis did", () => {
    const twice = [told(1_000, "task:retrying"), told(3_000, "task:retrying")];
    const faults = [fault("truncateRedis", 2_000, 2_100)];
    expect(violated({ events: twice, faults })).toEqual(["INV8"]);
  });
});

describe("an attempt that is found lost, of a worker that stopped in order", () => {
  const exits = [{ pid: 1, by: "0", at: 2_000 }];
  const ledger = [
    wrote(1_000, { kind: "started", number: 1, ...self }),
    wrote(1_900, { kind: "ended", how: "AbortError", ...self }),
  ];
  test.each([
    ["without a reason", 4_000, [], ["INV16"]],
    ["after Redis went back", 4_000, [fault("truncateRedis", 3_000, 3_100)], []],
    [
      "although Redis went back before it ended",
      4_000,
      [fault("truncateRedis", 1_500, 1_600)],
      ["INV16"],
    ],
    ["while it was frozen", 1_800, [fault("freezeWorker", 1_100, 1_850, "1")], []],
    ["long after it woke up", 4_000, [fault("freezeWorker", 1_100, 1_850, "1")], ["INV16"]],
  ])("%s", (_, at, faults, expected) => {
    const events = [told(at, "task:lost")];
    expect(violated({ exits, ledger, events, faults })).toEqual(expected);
  });
});

test("a worker that is ended by SIGTERM was told twice, or did not listen", () => {
  const exits = [{ pid: 1, by: "SIGTERM", at: 2_000 }];
  const ledger = [wrote(1_000, { kind: "started", number: 1, ...self })];
  const stops = [fault("stopWorker", 1_500, 1_500, "1"), fault("stopWorker", 1_900, 1_900, "1")];
  expect(violated({ exits, ledger, faults: stops.slice(1) })).toEqual(["INV16"]);
  expect(violated({ exits, ledger, faults: stops })).toEqual([]);
});

describe("a task that is absent below a complete root", () => {
  const nodes = [nodeFacts({ state: "absent" })];
  const ledger = [wrote(2_000, { kind: "ended", how: "answered", ...self })];
  test.each([
    ["although Redis lost nothing", [], ["INV7"]],
    ["although it ran after Redis lost data", [fault("flushRedis", 1_000, 1_100)], ["INV7"]],
    ["because Redis lost its record", [fault("flushRedis", 3_000, 3_100)], []],
  ])("%s", (_, faults, expected) => {
    expect(violated({ nodes, ledger, faults })).toEqual(expected);
  });
});

describe("an input that is torn or missing", () => {
  const ledger = [
    wrote(2_000, { kind: "torn", input: 5, why: "half of it", ...self }),
    wrote(2_000, { kind: "premature", missing: 5, ...self }),
  ];
  test.each([
    ["before it was invalidated", 2_500, ["INV1", "INV5"]],
    ["after it was invalidated", 1_500, []],
  ])("%s", (_, at, expected) => {
    expect(violated({ ledger, invalidated: new Map([[5, at]]) })).toEqual(expected);
  });
});

describe("a killed worker's attempt of which nobody tells", () => {
  const ledger = [wrote(1_000, { kind: "started", number: 1, ...self })];
  const events = [
    told(1_000, "task:started", 1),
    { ...told(1_000, "task:started", 2), attempt: "b" },
  ];
  const death = { pid: 1, by: "SIGKILL", at: 1_500 };
  test.each([
    ["was the last that was killed", [death], [], ["INV8"]],
    [
      "was killed before who could have told",
      [death, { pid: 2, by: "SIGKILL", at: 3_000 }],
      [],
      [],
    ],
    ["had its lease in a Redis that lost it", [death], [fault("flushRedis", 2_000, 2_100)], []],
    [
      "had its lease in a Redis that was frozen",
      [death],
      [fault("freezeRedis", 2_000, 4_100)],
      ["INV8"],
    ],
  ])("%s", (_, exits, faults, expected) => {
    expect(violated({ ledger, events, exits, faults })).toEqual(expected);
  });
});

describe("an end that nobody tells, of a worker that was killed a second later", () => {
  const ledger = [
    wrote(1_000, { kind: "started", number: 1, ...self }),
    wrote(2_000, { kind: "ended", how: "CHAOS", ...self }),
  ];
  const exits = [{ pid: 1, by: "SIGKILL", at: 3_000 }];
  test.each([
    ["without a reason", [], ["INV8"]],
    ["after Redis was frozen", [fault("freezeRedis", 1_000, 1_900)], ["INV8"]],
    ["while Redis was frozen", [fault("freezeRedis", 1_900, 3_500)], []],
    ["while another service was away", [fault("blackHole", 1_900, 3_500, "s3")], ["INV8"]],
    ["while it was frozen", [fault("freezeWorker", 2_014, 5_000, "1")], []],
    ["while another worker was frozen", [fault("freezeWorker", 2_014, 5_000, "2")], ["INV8"]],
  ])("%s", (_, faults, expected) => {
    expect(violated({ ledger, exits, faults })).toEqual(expected);
  });
});

describe("history in which an attempt begins after the task was complete", () => {
  const recorded = { number: 1, worker: "host:1" };
  const nodes = (outcome: "superseded" | "retrying") => [
    nodeFacts({
      history: [
        {
          attempt: "b",
          ...recorded,
          worker: "host:2",
          started: 2_500,
          ended: 3_000,
          outcome: "succeeded",
        },
        { attempt: "a", ...recorded, started: 5_010, ended: 5_020, outcome },
      ],
    }),
  ];
  test.each([
    ["without a reason", "superseded", [], ["INV19"]],
    ["when it had been found lost", "superseded", [told(2_400, "task:lost")], []],
    ["and was found lost later", "superseded", [told(5_015, "task:lost")], ["INV19"]],
    [
      "when it had been found lost, and did something",
      "retrying",
      [told(2_400, "task:lost")],
      ["INV19"],
    ],
  ] as const)("%s", (_, outcome, events, expected) => {
    expect(violated({ nodes: nodes(outcome), events: [...events] })).toEqual(expected);
  });
});
