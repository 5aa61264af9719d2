/**
 * Port faults: a task of each kind runs on real services behind proxies, and one call after the other
 * goes wrong in one way after the other. The engine's own retries have to bring it to the same end.
 *
 * A clean run of each kind lists its calls. `error-before` and `execute-then-error` hit every one of
 * them, and `execute-then-cut` every one to Redis, whose client repeats a call by itself. `delay`, `hang`
 * and `truncate` hit the calls that a test names, one of each sort: they end in the same timeout, watchdog
 * or broken connection for each of a sort. Left out: the handshakes of clients and BullMQ's timers, whose
 * number is the clock's; of eleven `SET LOCAL` in a row all but the first; and on ports that behave
 * the same for several kinds of task, all kinds but one.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Task } from "../../src/core/task.ts";
import { s3Dataset } from "../../src/targets/s3-dataset.ts";
import { copyTableToS3 } from "../../src/tasks/copy-table-to-s3.ts";
import { attempt } from "../integration/data/data-stores.ts";
import { keyPrefix } from "../support/services.ts";
import { concurrently } from "./concurrently.ts";
import { type Problem, problemsOf } from "./evidence.ts";
import { datasetOf, type Kind, rootOf, SOURCE_TABLE } from "./kinds.ts";
import { observer, type Port, proxiesBefore, startSweepWorker } from "./one-case.ts";
import type { Services } from "./services.ts";
import type { Call, Fault } from "./wire/fault-proxy.ts";

/** Longer than a lease, a lock and the look for stalled jobs together. */
const LONG = 2_600;

const TIMED = /^(hello|client|info|subscribe|bzpopmin|bullmq (extendLocks|moveStalledJobsToWait))$/;
/** How often they come is the clock's: only the first is sure. */
const REPEATED = /^sluice (renew|record)$/;

export interface Sweep {
  readonly kind: Kind;
  /** The ports whose calls are hit, one by one. */
  readonly ports: readonly Port[];
  /** Of these calls only, and of one that comes often the first few. */
  readonly only?: RegExp;
  readonly most?: number;
  /** Calls that are also delayed, hung and cut in the middle, each once. */
  readonly slow?: RegExp;
}

interface Injection {
  readonly port: Port;
  readonly call: Call;
  readonly fault: Fault;
}

export interface Case {
  readonly title: string;
  /** Whether the call came that was to go wrong. */
  readonly fired: boolean;
  readonly seconds: number;
  readonly problems: readonly Problem[];
  readonly calls: readonly { readonly port: Port; readonly call: Call }[];
}

export async function sweep(
  services: Services,
  { kind, ports, only = /./, most = Number.POSITIVE_INFINITY, slow }: Sweep,
  lanes = 6,
): Promise<Case[]> {
  const clean = await runCase(services, kind);
  const injections = clean.calls
    .filter(({ port, call }) => ports.includes(port) && only.test(call.name))
    .filter(({ call: { name, nth } }) => !TIMED.test(name) && nth <= most)
    .filter(
      ({ call: { name, nth } }) => nth === 1 || (name !== "SET LOCAL" && !REPEATED.test(name)),
    )
    .flatMap(({ port, call }) => {
      const isSlow = call.nth === 1 && slow?.test(call.name) === true;
      return faultsFor(port, isSlow).map((fault): Injection => ({ port, call, fault }));
    });
  // The slow ones first, so that they do not end alone.
  injections.sort((a, b) => Number(b.fault.kind === "hang") - Number(a.fault.kind === "hang"));
  const cases = await concurrently(lanes, injections, (injection) =>
    runCase(services, kind, injection),
  );
  return [clean, ...cases];
}

function faultsFor(port: Port, isSlow: boolean): readonly Fault[] {
  const faults: Fault[] = [{ kind: "error-before" }, { kind: "execute-then-error" }];
  if (port === "redis") faults.push({ kind: "execute-then-cut" });
  if (!isSlow) return faults;
  // A Redis that hangs comes back: what it costs is everything that has a time limit.
  const hang: Fault = port === "redis" ? { kind: "hang", milliseconds: LONG } : { kind: "hang" };
  return [...faults, { kind: "delay", milliseconds: 300 }, hang, { kind: "truncate" }];
}

let numbered = 0;

/**
 * How many of a call a task takes is a matter of moments: those of several tasks may leave as one, and a
 * job may be found on the first look or on the next. So the worker is given another task until the call
 * that is to go wrong has come.
 */
const MOST_TASKS = 10;

async function runCase(services: Services, kind: Kind, injection?: Injection): Promise<Case> {
  const prefix = keyPrefix();
  const proxies = await proxiesBefore(services, prefix);
  let fired = injection === undefined;
  const isDue = () => !fired;
  if (injection !== undefined) {
    const { port, call, fault } = injection;
    proxies[port].decide = ({ name, nth }) => {
      if (fired || name !== call.name || nth !== call.nth) return undefined;
      fired = true;
      return fault;
    };
  }
  const seen = await observer(services, prefix);
  const began = performance.now();
  const worker = await startSweepWorker(proxies.orders);
  const ended: { readonly id: string; readonly root: Task; readonly converged: boolean }[] = [];
  let converged: boolean;
  do {
    const id = `c${++numbered}`;
    const root = rootOf(kind, id);
    await seen.submit(root);
    if (kind === "external") await arrive(services, id);
    converged = await seen.converged(root);
    ended.push({ id, root, converged });
  } while (converged && isDue() && ended.length < MOST_TASKS);
  const seconds = (performance.now() - began) / 1000;
  await worker.stop();
  const started = worker.started.map(({ task }) => task.id);
  const left = { kind, services, seen, told: worker.told, started, killed: false };
  const problems: Problem[] = [];
  for (const { id, root, converged } of ended) {
    if (converged) problems.push(...(await problemsOf({ ...left, id, root })));
    else problems.push({ invariant: "INV6", what: "did not converge" });
  }
  await seen.close();
  const calls = (["redis", "postgres", "s3"] as const).flatMap((port) =>
    proxies[port].calls.map((call) => ({ port, call })),
  );
  proxies.close();
  return { title: titleOf(kind, injection), fired, seconds, problems, calls };
}

function titleOf(kind: Kind, injection: Injection | undefined): string {
  if (injection === undefined) return kind;
  const { port, call, fault } = injection;
  return `${kind}: ${fault.kind} at ${port} ${call.name} #${call.nth}`;
}

/** What an external task waits for. */
async function arrive({ stores }: Services, id: string): Promise<void> {
  await sleep(100);
  const { signal } = new AbortController();
  const task = rootOf("external", id);
  const feed = s3Dataset(datasetOf(id)).bind({ task, stores, signal, attempt: attempt() });
  await copyTableToS3(stores.source, SOURCE_TABLE, feed);
}

/** What a single fault, however it falls, may not break. */
export const KEPT: readonly string[] = [
  "INV1 a dataset that is complete is whole, of one attempt, and nothing else is ever read",
  "INV2 one commit, whatever call went wrong",
  "INV3 no lease is held after the end",
  "INV6 it converges by itself",
  "INV7 nothing is lost: it is recorded, and nobody waits for it",
  "INV8 no attempt is told twice",
  "INV10 it takes no more attempts than it may",
  "INV17 no session and no multipart upload is left open",
  "INV18 the rows are those of the source",
  "INV19 its history is a legal path",
];

/** One test for each invariant that every case must keep; a title begins with its number. */
export function testInvariants(titles: readonly string[], cases: () => readonly Case[]): void {
  test.each(titles)("%s", (title) => {
    const [invariant] = title.split(" ");
    const broken = cases().flatMap(({ title: at, problems }) =>
      problems.filter((each) => each.invariant === invariant).map(({ what }) => `${at}: ${what}`),
    );
    expect(broken).toEqual([]);
  });
  test("every call that was to go wrong came", () => {
    expect(cases().length).toBeGreaterThan(30);
    expect(cases().flatMap(({ title, fired }) => (fired ? [] : [title]))).toEqual([]);
  });
}
