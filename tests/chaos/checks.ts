/**
 * The invariants of `docs/reliability.md`, each checked against what a seed left behind. Nothing here asks
 * the engine whether all is well: states and history are read only where they are what is promised.
 */
import { illegalStep } from "../integration/history/legal-path.ts";
import type { Facts } from "./facts.ts";
import { LOSES_RECORDS } from "./faults.ts";
import type { Written } from "./ledger.ts";

export interface Violation {
  /** One of `INVARIANTS`. */
  readonly invariant: string;
  readonly text: string;
}

type Of<Kind extends Written["kind"]> = Extract<Written, { readonly kind: Kind }>;

/** Attempts of a family of the chaos graph, and crashes until a task fails. */
const ATTEMPTS = 4;
const CRASHES = 3;
/** After it, Redis has again the leases of attempts that had given them back. */
const WENT_BACK = "truncateRedis";
/** The pause between the end of a run and its event, in a process that is killed in between. */
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
  for (const { node, input, why, attempt } of of(ledger, "torn")) {
    // Somebody was reading what an operator removed.
    if (invalidated.has(input)) continue;
    yield `attempt ${attempt} of node ${node} read a torn input, node ${input}: ${why}`;
  }
}

function* oneCommit({ nodes, ledger, invalidated }: Facts): Iterable<string> {
  const commits = of(ledger, "committed").filter(({ ours }) => ours);
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
  // A Redis that went back in time has again the lease of one that was frozen and overtaken.
  const wentBack = faults.some(({ name }) => name === WENT_BACK);
  const frozen = wentBack ? frozenWorkers(faults) : [];
  for (const { node, attempt, held, pid } of of(ledger, "late")) {
    if (frozen.includes(String(pid))) continue;
    if (held) yield `attempt ${attempt} of node ${node} began although its output was there`;
  }
}

function* requirementsFirst({ ledger, invalidated }: Facts): Iterable<string> {
  for (const { node, attempt, missing } of of(ledger, "premature")) {
    if (invalidated.has(missing)) continue;
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

function* nothingForgotten({ roots, nodes, leftJobs, faults }: Facts): Iterable<string> {
  if (roots.some((state) => state !== "complete")) return;
  // Records that Redis lost are made again only where a plan looks: not below what is complete. INV1 and
  // INV18 say whether the outputs are there.
  const lost = faults.some(({ name }) => LOSES_RECORDS.has(name));
  for (const { task, state } of nodes) {
    if (state !== "complete" && !(lost && state === "absent")) yield `${task.name} is ${state}`;
  }
  yield* leftJobs;
}

function* toldOnce(facts: Facts): Iterable<string> {
  const { events, ledger, exits, faults } = facts;
  const wentBack = faults.some(({ name }) => name === WENT_BACK);
  const endings = ["task:failed", "task:retrying", "task:lost"];
  const told = new Map<string, number>();
  for (const { event, attempt } of events) {
    if (endings.includes(event)) told.set(attempt, (told.get(attempt) ?? 0) + 1);
  }
  for (const [attempt, times] of told) {
    if (times > 1 && !wentBack) yield `the end of attempt ${attempt} was told ${times} times`;
  }
  const quiet = ["answered", "waits", "LEASE_LOST", "AbortError"];
  for (const { node, attempt, how, pid, at } of of(ledger, "ended")) {
    if (quiet.includes(how) || told.has(attempt)) continue;
    const interrupted = exits.some((exit) => exit.pid === pid && exit.at < at + TELLING);
    const released = events.some((each) => each.attempt === attempt && isRelease(each.event));
    if (!interrupted && !released) yield `node ${node}: attempt ${attempt} ended as ${how}, untold`;
  }
  yield* untoldDeaths(facts);
}

/** Of the one worker that was killed, when nothing else hid it: who finds what it left, tells. */
function* untoldDeaths({ events, ledger, exits, faults, nodes }: Facts): Iterable<string> {
  const hides = ["truncateRedis", "flushRedis", "fillRedis", "killRedis", "freezeRedis"];
  const [death, ...others] = exits;
  if (death?.by !== "SIGKILL" || others.length > 0) return;
  if (faults.some(({ name }) => hides.includes(name))) return;
  const ended = new Set(of(ledger, "ended").map(({ attempt }) => attempt));
  const visible = new Set(nodes.map(({ writtenBy }) => writtenBy));
  for (const { node, attempt, pid } of of(ledger, "started")) {
    if (pid !== death.pid || ended.has(attempt) || visible.has(attempt)) continue;
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
  const retries = of(ledger, "retried").flatMap(({ tasks }) => tasks);
  const losses = faults.filter(({ name }) => LOSES_RECORDS.has(name)).length;
  for (const { node, task } of nodes) {
    const runs = of(ledger, "started").filter(({ node: n }) => n === node.n).length;
    const waits = of(ledger, "ended").filter(
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
  if (faults.some(({ name }) => name === WENT_BACK)) return;
  const frozen = frozenWorkers(faults);
  const starts = of(ledger, "started");
  for (const { pid, by, at } of exits) {
    const attempts = new Set(
      starts.filter((start) => start.pid === pid && start.at < at).map(({ attempt }) => attempt),
    );
    const wasTooEarly = by === "SIGTERM" && attempts.size === 0;
    if (by === "SIGKILL" || wasTooEarly || frozen.includes(String(pid))) continue;
    if (by !== "0" && by !== "1") yield `process ${pid} ended by ${by}`;
    if (by !== "0") continue;
    for (const { event, attempt } of events) {
      if (event === "task:lost" && attempts.has(attempt)) {
        yield `process ${pid} stopped in order and left attempt ${attempt} behind`;
      }
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
function* legalHistory({ nodes, faults, invalidated }: Facts): Iterable<string> {
  if (faults.some(({ name }) => LOSES_RECORDS.has(name))) return;
  for (const { node, task, history } of nodes) {
    // One that was overtaken may wake up at any time: it may do nothing, and does.
    const counted = history.filter(({ outcome }) => outcome !== "superseded" && outcome !== "lost");
    const step = illegalStep(counted, invalidated.has(node.n) ? 1 : 0);
    if (step !== undefined) yield `${task.name}: ${step}`;
  }
}

/** Their process ids. */
function frozenWorkers(faults: Facts["faults"]): readonly (string | undefined)[] {
  return faults.filter(({ name }) => name === "freezeWorker").map(({ detail }) => detail);
}

function of<Kind extends Written["kind"]>(ledger: readonly Written[], kind: Kind): Of<Kind>[] {
  return ledger.filter((entry): entry is Of<Kind> => entry.kind === kind);
}

export interface Figures {
  readonly runs: number;
  /** Runs beyond the first of a task, without those that only went on after a wait. */
  readonly reexecutions: number;
  /** Commits that another attempt had made before, and leases that were found lost. */
  readonly fenced: number;
  readonly lost: number;
}

export function figuresOf({
  nodes,
  ledger,
  events,
}: Pick<Facts, "nodes" | "ledger" | "events">): Figures {
  const starts = of(ledger, "started");
  const waits = of(ledger, "ended").filter(({ how }) => how === "waits").length;
  const ran = new Set(starts.map(({ node }) => node));
  const late = of(ledger, "committed").filter(({ ours }) => !ours).length;
  const denied = of(ledger, "ended").filter(({ how }) => how === "LEASE_LOST").length;
  return {
    runs: nodes.length === 0 ? 0 : starts.length,
    reexecutions: Math.max(0, starts.length - ran.size - waits),
    fenced: late + denied,
    lost: events.filter(({ event }) => event === "task:lost").length,
  };
}
