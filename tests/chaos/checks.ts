/**
 * The invariants of `docs/reliability.md`, each checked against what a seed left behind. Nothing here asks
 * the engine whether all is well: states and history are read only where they are what is promised.
 */
import type { RecordedAttempt } from "../../src/queue/history/attempt.ts";
import { illegalStep } from "../integration/history/legal-path.ts";
import type { Facts, ToldEvent } from "./facts.ts";
import { type AppliedFault, LEASE, LOSES_RECORDS } from "./faults.ts";
import { entriesOf } from "./ledger.ts";

export interface Violation {
  /** One of `INVARIANTS`. */
  readonly invariant: string;
  readonly text: string;
}

/** Attempts of a family of the chaos graph, and crashes until a task fails. */
const ATTEMPTS = 4;
const CRASHES = 3;
/** Between the end of a run and its event, once it can be told: a process may be killed in between. */
const TELLING = 500;

const CHECKS: Readonly<Record<string, (facts: Facts) => Iterable<string>>> = {
  "INV1 what is visible is whole": visibleIfComplete,
  "INV2 a task is committed once": oneCommit,
  "INV4 nothing runs after its commit": noRunAfterCommit,
  "INV5 nothing runs before what it requires": requirementsFirst,
  "INV6 it converges by itself": convergence,
  "INV7 nothing is forgotten": nothingForgotten,
  "INV8 the end of an attempt is told once": toldOnce,
  "INV10 runs are bounded": boundedRuns,
  "INV16 a stop is orderly": orderlyStop,
  "INV17 nothing is left open": nothingLeftOpen,
  "INV18 rows are those of the reference": rowsAsReference,
  "INV19 history is a legal path": legalHistory,
};

export const INVARIANTS: readonly string[] = Object.keys(CHECKS);

export function violationsOf(facts: Facts): Violation[] {
  // What a naive worker tells, and how it stops, is not what it is there for.
  const checks = Object.entries(CHECKS).filter(
    ([invariant]) => facts.mode === "fenced" || !/^INV(8|16) /.test(invariant),
  );
  return checks.flatMap(([invariant, check]) =>
    [...check(facts)].map((text) => ({ invariant, text })),
  );
}

/** Whether it shows in what was written, and not only in how: a torn read, a second commit. */
export function isCaught({ violations }: { readonly violations: readonly Violation[] }): boolean {
  return violations.some(({ invariant }) => /^INV(1|2|18) /.test(invariant));
}

/** What a reader finds, during the run and after it, is whole and of one attempt. */
function* visibleIfComplete({ nodes, ledger, invalidated }: Facts): Iterable<string> {
  for (const { node, task, broken } of nodes) {
    const isDataset = node.kind === "files" || node.kind === "dump";
    if (isDataset && broken !== undefined) yield `${task.name}: ${broken}`;
  }
  for (const { node, input, why, attempt, at } of entriesOf(ledger, "torn")) {
    // Somebody was reading what an operator removed.
    if (at >= (invalidated.get(input) ?? Infinity)) continue;
    yield `attempt ${attempt} of node ${node} read a torn input, node ${input}: ${why}`;
  }
}

function* oneCommit({ nodes, ledger, invalidated }: Facts): Iterable<string> {
  const commits = entriesOf(ledger, "committed").filter(({ ours }) => ours);
  for (const { node, task, writtenBy } of nodes) {
    const by = new Set(commits.filter(({ node: n }) => n === node.n).map(({ attempt }) => attempt));
    const generations = invalidated.has(node.n) ? 2 : 1;
    if (by.size > generations) yield `${task.name} was committed by ${[...by].join(" and ")}`;
    const isOfAnother = writtenBy !== undefined && by.size === generations && !by.has(writtenBy);
    if (isOfAnother) {
      yield `${task.name}: ${[...by].join(" and ")} was told that it committed, the output is of ${writtenBy}`;
    }
  }
}

/** A run that holds the lease and whose output is there has not been asked for. */
function* noRunAfterCommit({ ledger, faults }: Facts): Iterable<string> {
  const starts = new Map(entriesOf(ledger, "started").map(({ attempt, at }) => [attempt, at]));
  for (const { node, attempt, held, pid, at } of entriesOf(ledger, "late")) {
    if (!held) continue;
    // Frozen between the engine's look and the run's own, overtaken, and then given its lease again by a
    // Redis that went back in time. Its first line may be older than the freeze.
    const began = starts.get(attempt) ?? at;
    const froze = faultsOn("freezeWorker", pid, faults).find(
      (freeze) => freeze.began < at && began < freeze.ended + LEASE,
    );
    if (froze !== undefined && rewinds(faults, froze.began, at)) continue;
    yield `attempt ${attempt} of node ${node} began although its output was there`;
  }
}

function* requirementsFirst({ ledger, invalidated }: Facts): Iterable<string> {
  for (const { node, attempt, missing, at } of entriesOf(ledger, "premature")) {
    if (at >= (invalidated.get(missing) ?? Infinity)) continue;
    yield `attempt ${attempt} of node ${node} began before node ${missing} was complete`;
  }
}

function* convergence({ roots, nodes, converged }: Facts): Iterable<string> {
  const open = nodes.filter(({ state }) => state !== "complete");
  if (!converged || roots.some((state) => state !== "complete")) {
    const states = open.map(({ node, state }) => `${node.n} ${node.kind} ${state}`);
    yield `the roots are ${roots.join(" and ")}; open: ${states.join(", ")}`;
  }
}

function* nothingForgotten({ roots, nodes, leftJobs, ledger, faults }: Facts): Iterable<string> {
  if (roots.some((state) => state !== "complete")) return;
  const losses = faults.filter(({ name }) => LOSES_RECORDS.has(name)).map(({ ended }) => ended);
  const lost = Math.max(0, ...losses);
  const done = new Map(entriesOf(ledger, "ended").map(({ node, at }) => [node, at]));
  for (const { node, task, state } of nodes) {
    // A record that Redis lost is made again only where a plan looks: not below what is complete. INV1
    // and INV18 say whether the output is there.
    const wasRecorded = (done.get(node.n) ?? 0) < lost;
    if (state !== "complete" && !(state === "absent" && wasRecorded)) {
      yield `${task.name} is ${state}`;
    }
  }
  yield* leftJobs;
}

function* toldOnce(facts: Facts): Iterable<string> {
  const { events, ledger, exits, faults } = facts;
  const endings = ["task:failed", "task:retrying", "task:lost"];
  const told = new Map<string, ToldEvent[]>();
  for (const each of events) {
    if (!endings.includes(each.event)) continue;
    told.set(each.attempt, [...(told.get(each.attempt) ?? []), each]);
  }
  for (const [attempt, times] of told) {
    const inOrder = times.toSorted((a, b) => a.at - b.at);
    for (const [index, { event, at }] of inOrder.entries()) {
      const before = inOrder[index - 1];
      // It had given its lease back; a Redis that went back in time has it again, and it is found lost.
      if (before === undefined || (event === "task:lost" && rewinds(faults, before.at, at)))
        continue;
      yield `the end of attempt ${attempt} was told as ${before.event} and as ${event}`;
    }
  }
  const quiet = ["answered", "waits", "LEASE_LOST", "AbortError"];
  for (const { node, attempt, how, pid, at } of entriesOf(ledger, "ended")) {
    if (quiet.includes(how) || told.has(attempt)) continue;
    const due = whenItCanTell(faults, pid, at) + TELLING;
    const interrupted = exits.some((exit) => exit.pid === pid && exit.at < due);
    const released = events.some((each) => each.attempt === attempt && isRelease(each.event));
    if (!interrupted && !released) yield `node ${node}: attempt ${attempt} ended as ${how}, untold`;
  }
  yield* untoldDeaths(facts);
}

/** Whoever finds what a worker left that was killed, tells; unless that one was killed, too. */
function* untoldDeaths({
  events,
  ledger,
  exits,
  faults,
  nodes,
  invalidated,
}: Facts): Iterable<string> {
  const starts = entriesOf(ledger, "started");
  const workers = new Set([...starts, ...events].map(({ pid }) => pid));
  const death = exits.findLast(({ pid, by }) => by === "SIGKILL" && workers.has(pid));
  const isHidden = ({ name, ended }: AppliedFault) =>
    death !== undefined && LOSES_RECORDS.has(name) && ended > death.at - LEASE;
  if (death === undefined || faults.some(isHidden)) return;
  const ended = new Set(entriesOf(ledger, "ended").map(({ attempt }) => attempt));
  for (const { node, attempt, pid } of starts) {
    if (pid !== death.pid || ended.has(attempt) || invalidated.has(node)) continue;
    const output = nodes.find((each) => each.node.n === node);
    // Committed before it died: nothing to tell. A loaded table does not say by whom.
    if (output?.writtenBy === attempt || output?.node.kind === "load") continue;
    if (!events.some((each) => each.attempt === attempt && each.event === "task:lost")) {
      yield `node ${node}: attempt ${attempt} was killed, and nobody told`;
    }
  }
}

function isRelease(event: string): boolean {
  return event === "task:released" || event === "task:succeeded";
}

/** Each run but the last is owed to something: a failure, a crash, a wait, a restart of Redis. */
function* boundedRuns({ nodes, ledger, faults, exits, invalidated }: Facts): Iterable<string> {
  const retries = entriesOf(ledger, "retried").flatMap(({ tasks }) => tasks);
  const losses = faults.filter(({ name }) => LOSES_RECORDS.has(name)).length;
  for (const { node, task } of nodes) {
    const runs = entriesOf(ledger, "started").filter(({ node: n }) => n === node.n).length;
    const waits = entriesOf(ledger, "ended").filter(
      ({ node: n, how }) => n === node.n && how === "waits",
    ).length;
    const generations = invalidated.has(node.n) ? 2 : 1;
    const lives = generations + losses + retries.filter((id) => id === task.id).length;
    const bound = lives * (ATTEMPTS + CRASHES) + waits + exits.length;
    if (runs > bound) yield `${task.name} ran ${runs} times, more than ${bound}`;
  }
}

/** Who exits by itself has handed back what it had: nothing of it is ever found lost. */
function* orderlyStop({ exits, events, ledger, faults }: Facts): Iterable<string> {
  const starts = entriesOf(ledger, "started");
  const ends = new Map(entriesOf(ledger, "ended").map(({ attempt, at }) => [attempt, at]));
  for (const { pid, by, at } of exits) {
    const attempts = new Set(
      starts.filter((start) => start.pid === pid && start.at < at).map(({ attempt }) => attempt),
    );
    // Before it listened; or told twice, which ends a process at once.
    const stops = faultsOn("stopWorker", pid, faults).length;
    const wasEnded = by === "SIGTERM" && (attempts.size === 0 || stops > 1);
    if (by === "SIGKILL" || wasEnded) continue;
    if (by !== "0" && by !== "1") yield `process ${pid} ended by ${by}`;
    if (by !== "0") continue;
    for (const { event, attempt, at: found } of events) {
      if (event !== "task:lost" || !attempts.has(attempt)) continue;
      // Found while it was frozen; or given back, to a Redis that then went back in time.
      const wasFrozen = faultsOn("freezeWorker", pid, faults).some(
        ({ began, ended }) => found > began && found < ended + LEASE,
      );
      if (wasFrozen || rewinds(faults, ends.get(attempt) ?? found, found)) continue;
      yield `process ${pid} stopped in order and left attempt ${attempt} behind`;
    }
  }
}

function* nothingLeftOpen({ leftSessions, leftUploads, leftUnits }: Facts): Iterable<string> {
  yield* leftUnits;
  for (const session of leftSessions) yield `session ${session}`;
  for (const upload of leftUploads) yield `upload ${upload}`;
}

function* rowsAsReference({ nodes }: Facts): Iterable<string> {
  for (const { node, task, broken } of nodes) {
    const isDataset = node.kind === "files" || node.kind === "dump";
    if (!isDataset && broken !== undefined) yield `${task.name}: ${broken}`;
  }
}

/** What Redis lost, its history lost too: then it proves nothing. */
function* legalHistory({ nodes, faults, events, invalidated }: Facts): Iterable<string> {
  if (faults.some(({ name }) => LOSES_RECORDS.has(name))) return;
  for (const { node, task, history } of nodes) {
    const counted = history.filter((attempt) => !beganOvertaken(attempt, events));
    const step = illegalStep(counted, invalidated.has(node.n) ? 1 : 0);
    if (step !== undefined) yield `${task.name}: ${step}`;
  }
}

/** Frozen, or starved, between its look and its first line: it had been found lost before it began. */
function beganOvertaken(
  { attempt, started, outcome }: RecordedAttempt,
  events: Facts["events"],
): boolean {
  if (outcome !== "superseded") return false;
  return events.some(
    (each) => each.attempt === attempt && each.event === "task:lost" && each.at <= started,
  );
}

function faultsOn(
  fault: "freezeWorker" | "stopWorker",
  pid: number,
  faults: Facts["faults"],
): readonly AppliedFault[] {
  return faults.filter(({ name, detail }) => name === fault && detail === String(pid));
}

/**
 * An attempt gives its lease back before it tells its end: the first moment from `at` on when its worker
 * runs, and Redis answers.
 */
function whenItCanTell(faults: Facts["faults"], pid: number, at: number): number {
  const away = ["freezeRedis", "killRedis", "truncateRedis", "fillRedis"];
  const hinders = ({ name, detail }: AppliedFault) =>
    away.includes(name) ||
    (name === "blackHole" && detail.startsWith("redis")) ||
    (name === "freezeWorker" && detail === String(pid));
  let first = at;
  // In the order in which they began: one may take over from the other.
  for (const { began, ended } of faults.filter(hinders)) {
    if (began < first + TELLING) first = Math.max(first, ended);
  }
  return first;
}

/** Whether Redis went back in time between two moments: what was given back before is held again. */
function rewinds(faults: Facts["faults"], from: number, to: number): boolean {
  return faults.some(
    ({ name, began, ended }) => name === "truncateRedis" && ended > from && began < to,
  );
}
