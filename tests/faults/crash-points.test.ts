/**
 * Crash points: a real worker process is killed right after the nth call of an attempt's life was
 * carried out, and before it hears the answer; another worker finishes. What is killed "before" a call is
 * what was killed after the one before it, so only the first one is both. The points are found by a
 * clean run. Looks that change nothing are points in the dump alone.
 */
import { afterAll, beforeAll } from "vitest";
import { missingOutputs } from "../../src/core/target.ts";
import { lookInRedis } from "../../src/queue/look.ts";
import { startChild } from "../support/processes.ts";
import { keyPrefix } from "../support/services.ts";
import { concurrently } from "./concurrently.ts";
import { type Problem, problemsOf } from "./evidence.ts";
import { type Kind, project, rootOf } from "./kinds.ts";
import { observer, type Port, proxiesBefore, startSweepWorker } from "./one-case.ts";
import { type Services, sweepServices } from "./services.ts";
import { type Case, testInvariants } from "./sweep.ts";
import type { Call } from "./wire/fault-proxy.ts";

const WORKER = new URL("children/worker.ts", import.meta.url);

interface Points {
  readonly kind: Kind;
  readonly only: RegExp;
  readonly most: number;
}

const SWEEPS: readonly Points[] = [
  {
    kind: "dump",
    only: /^(sluice|bullmq moveToFinished|connect|BEGIN|LOCK|COPY|COMMIT|HEAD|PUT|GET)/,
    most: 2,
  },
  {
    kind: "load",
    only: /^(sluice complete|CREATE TABLE|COPY|end of COPY|INSERT|COMMIT|bullmq moveToFinished)/,
    most: 1,
  },
  { kind: "dynamic", only: /^(sluice|multi|bullmq moveToWaiting)/, most: 1 },
];

interface Point {
  readonly port: Port;
  readonly call: Call;
  readonly when: "before" | "after";
}

let services: Services;
const cases: Case[] = [];

beforeAll(async () => {
  services = await sweepServices();
  for (const { kind, only, most } of SWEEPS) {
    const { calls } = await crash(kind);
    const points = calls
      .filter(({ call: { name, nth } }) => only.test(name) && nth <= most)
      .map((each): Point => ({ ...each, when: "after" }));
    const [first] = points;
    if (first !== undefined) points.unshift({ ...first, when: "before" });
    cases.push(...(await concurrently(4, points, (point) => crash(kind, point))));
  }
}, 600_000);

afterAll(() => services.close());

let numbered = 0;

/** Without a point: a run of the child that is not killed before its end. */
async function crash(kind: Kind, point?: Point): Promise<Case> {
  const id = `k${++numbered}`;
  const prefix = keyPrefix();
  const proxies = await proxiesBefore(services, prefix);
  const seen = await observer(services, prefix);
  const root = rootOf(kind, id);
  const began = performance.now();
  const child = await startChild(WORKER, proxies.orders);
  const kill = () => child.signal("SIGKILL");
  let fired = point === undefined;
  if (point !== undefined) {
    proxies[point.port].decide = ({ name, nth }) => {
      if (fired || name !== point.call.name || nth !== point.call.nth) return undefined;
      fired = true;
      return { kind: point.when === "before" ? "halt-before" : "halt-after", halt: kill };
    };
  }
  await seen.submit(root);
  const problems: Problem[] = [];
  const calls = () =>
    (["redis", "postgres", "s3"] as const).flatMap((port) =>
      proxies[port].calls.map((call) => ({ port, call })),
    );
  if (point === undefined) {
    await seen.converged(root);
    kill();
    await child.ended;
    await seen.close();
    proxies.close();
    return { title: kind, fired, seconds: 0, problems, calls: calls() };
  }
  await Promise.race([child.ended, seen.converged(root)]);
  kill();
  await child.ended;
  // What the dead one leaves: asked before anybody mends it.
  const { engine } = seen;
  const [known] = await lookInRedis({ engine, project }, [root]);
  if (known === undefined || known.state === "absent") {
    problems.push({ invariant: "INV7", what: "nobody knows of the task any more" });
  }
  const holder = await engine.redis.hget(engine.keys.attempt(root.id), "holder");
  const { signal } = new AbortController();
  const isCommitted =
    (await missingOutputs({ task: root, stores: services.stores, signal })).length === 0;

  const survivor = await startSweepWorker({
    redisUrl: services.redisUrl,
    prefix,
    stores: services.settings,
  });
  const converged = await seen.converged(root);
  const seconds = (performance.now() - began) / 1000;
  await survivor.stop();
  if (converged) {
    const left = { kind, id, root, services, seen, told: survivor.told, killed: true };
    const started = survivor.started.map(({ task }) => task.id);
    problems.push(...(await problemsOf({ ...left, started })));
    if (isCommitted && started.includes(root.id)) {
      problems.push({ invariant: "INV4", what: "it ran again after its commit" });
    }
    const lost = survivor.told.filter(
      ({ event, task }) => event === "task:lost" && task.id === root.id,
    );
    const expected = holder === null ? [] : [holder];
    if (lost.map(({ attempt }) => attempt.id).join() !== expected.join()) {
      problems.push({ invariant: "INV8", what: `${lost.length} told of the lost attempt` });
    }
  } else problems.push({ invariant: "INV6", what: "did not converge" });
  await seen.close();
  proxies.close();
  const { name, nth } = point.call;
  const title = `${kind}: killed ${point.when} ${point.port} ${name} #${nth}`;
  return { title, fired, seconds, problems, calls: calls() };
}

testInvariants(
  [
    "INV1 visible if and only if complete, wherever the worker was killed",
    "INV2 one commit, wherever the worker was killed",
    "INV3 the lease of the dead is ended, and nobody holds one in the end",
    "INV4 no run begins after the commit, also when death came between commit and record",
    "INV6 another worker finishes what the dead one had, by itself",
    "INV7 the task is known at every moment",
    "INV8 the lost attempt is told exactly once, and only if there was one",
    "INV10 a death takes one attempt more, not several",
    "INV17 no session of the dead is left open",
    "INV18 the rows are those of the source",
    "INV19 history stays a legal path",
  ],
  () => cases,
);
