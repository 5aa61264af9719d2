/** One seed: a graph, processes that work on it, faults, convergence, and what is left in the end. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readSettings } from "../../src/settings.ts";
import { openWorkplace } from "../../src/workplace.ts";
import type { Wings } from "./actor.ts";
import { type Violation, violationsOf } from "./checks.ts";
import type { Mode } from "./dataset.ts";
import { gatherFacts } from "./facts.ts";
import { chaosFamilies } from "./families.ts";
import { type AppliedFault, breakThings, LEASE } from "./faults.ts";
import { type Figures, figuresOf } from "./figures.ts";
import { graphOf } from "./graph.ts";
import { busyProcesses, sizeOfLedger } from "./ledger.ts";
import type { Network } from "./network.ts";
import { Operator } from "./operator.ts";
import { patiently } from "./patiently.ts";
import { bucketOf, PrivateRedis, type SharedServices } from "./services.ts";
import { settle } from "./settle.ts";
import { environmentOf, SLOTS, Stage, WORKERS } from "./stage.ts";

/** Milliseconds without any progress after which it does not converge; a slow machine may be slow. */
const STANDSTILL = 30_000;
const BOUND = 300_000;

export interface SeedResult extends Figures {
  readonly seed: number;
  readonly tasks: number;
  readonly edges: number;
  readonly faults: readonly AppliedFault[];
  /** From the last fault until both roots were complete. */
  readonly convergence: number;
  readonly seconds: number;
  readonly violations: readonly Violation[];
  /** Kept when something is wrong. */
  readonly dir: string;
}

export interface Lane {
  readonly services: SharedServices;
  readonly network: Network;
  readonly wings: Wings;
  /** Of all of its seeds. */
  readonly dir: string;
}

export async function runSeed(lane: Lane, seed: number, mode: Mode): Promise<SeedResult> {
  const { services, network, wings } = lane;
  const name = `chaos_${mode}_${seed}`;
  const dir = join(lane.dir, `${mode}-${seed}`);
  const ledger = join(dir, "ledger");
  mkdirSync(ledger, { recursive: true });
  const [redis] = await Promise.all([
    PrivateRedis.start(join(dir, "redis")),
    services.prepare(name),
  ]);
  network.moveRedis(redis.port);
  const graph = graphOf(seed);
  const families = chaosFamilies(mode, () => {});
  const common = {
    SLUICE_BUCKET: bucketOf(name),
    SLUICE_PREFIX: `{${name}}`,
    SLUICE_LOCK_DURATION: `${LEASE}ms`,
    SLUICE_GRACE_PERIOD: "3s",
    SLUICE_CONCURRENCY: "4",
    AWS_ACCESS_KEY_ID: services.s3Settings().accessKeyId,
    AWS_SECRET_ACCESS_KEY: services.s3Settings().secretAccessKey,
  };
  const urls = () => ({
    redis: redis.url,
    postgres: services.postgres.urlOf(name),
    s3: services.s3.endpoint,
  });
  const stage = new Stage(wings, (slot) => ({
    role: slot < WORKERS ? "worker" : "expander",
    seed,
    mode,
    ledger,
    environment: { ...common, ...environmentOf(network, slot, urls()) },
  }));

  const wired = { ...common, ...environmentOf(network, SLOTS, urls()) };
  const operator = await patiently(() => Operator.open(wired, families, graph));
  const roots = [families.rootOf(graph, 0), families.rootOf(graph, 1)];
  let finished = false;
  const isComplete = async () => {
    const wanted = [...roots, ...operator.wanted.values()];
    const keys = wanted.map(({ id }) => `{${name}}:sluice:done:${id}`);
    return (await redis.client.exists(...keys).catch(() => 0)) === keys.length;
  };
  const watching = (async () => {
    for (; !finished; await sleep(50)) finished = await isComplete();
  })();
  let queue = Promise.resolve();
  const scene = {
    stage,
    network,
    redis,
    operator,
    busy: () => stage.slotsOf(busyProcesses(ledger)),
    terminateSessions: () =>
      services.query(
        "postgres",
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`,
      ),
    onRedis: (fault: () => Promise<void>) => {
      queue = queue.then(fault);
      return queue;
    },
  };
  await stage.ready;
  const began = Date.now();
  const faults = await breakThings(scene, { seed, mode }, () => finished);
  const quiet = Date.now();
  let progress = { size: 0, at: quiet };
  // Asked again: the last fault may have taken the records away.
  let converged = await isComplete();
  for (let now = quiet; !converged; now = Date.now()) {
    const size = sizeOfLedger(ledger);
    if (size !== progress.size) progress = { size, at: now };
    if (now > progress.at + STANDSTILL || now > quiet + BOUND) break;
    await sleep(50);
    converged = await isComplete();
  }
  const convergence = Date.now() - quiet;
  finished = true;
  await watching;
  const direct = readSettings({
    ...common,
    REDIS_URL: redis.url,
    WAREHOUSE_URL: services.postgres.urlOf(name),
    SOURCE_URL: services.postgres.urlOf(name),
    AWS_ENDPOINT_URL_S3: services.s3.endpoint,
  });
  const place = await patiently(() => openWorkplace(families.project, direct));
  if (converged) await settle(place, stage, ledger);
  await operator.close();
  await stage.close({ reuse: mode === "fenced" });
  const facts = await gatherFacts({
    place,
    families,
    graph,
    mode,
    faults,
    converged,
    invalidated: operator.invalidated,
    exits: stage.exits,
    ledgerDir: ledger,
    logs: wings.all.filter(({ pid }) => stage.pids.has(pid)).map(({ log }) => log),
    sessions: () => leftSessions(services, name),
  });
  await place.close();
  await redis.stop();
  network.repair();
  const violations = violationsOf(facts);
  await services.discard(name);
  if (violations.length === 0) rmSync(dir, { recursive: true, force: true });
  else {
    const { nodes, ledger: entries, ...rest } = facts;
    writeFileSync(join(dir, "facts.json"), JSON.stringify({ violations, ...rest, graph }, null, 1));
    writeFileSync(
      join(dir, "ledger.txt"),
      entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""),
    );
    writeFileSync(
      join(dir, "history.txt"),
      nodes.map(({ task, history }) => `${task.id} ${JSON.stringify(history)}\n`).join(""),
    );
  }
  return {
    seed,
    tasks: graph.nodes.length + 2,
    edges: graph.nodes.reduce(
      (sum, { requires, yields }) => sum + requires.length + yields.flat().length,
      0,
    ),
    faults,
    convergence: convergence / 1000,
    seconds: (Date.now() - began) / 1000,
    violations,
    dir,
    ...figuresOf(facts),
  };
}

/** A connection that was closed takes a moment to vanish from the server. */
async function leftSessions(services: SharedServices, name: string): Promise<string[]> {
  const sql = `SELECT application_name || ' ' || coalesce(state, '') || ': ' || query AS text FROM pg_stat_activity WHERE datname = '${name}'`;
  for (let wait = 0; ; wait += 100) {
    const rows = await services.query("postgres", sql);
    if (rows.length === 0 || wait > 3_000) return rows.map(({ text }) => String(text));
    await sleep(100);
  }
}
