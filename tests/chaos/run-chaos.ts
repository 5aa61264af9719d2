/** Runs seeds in lanes side by side, and prints what became of each. */
import { mkdtempSync, mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Wings } from "./actor.ts";
import type { Mode } from "./dataset.ts";
import { Network } from "./network.ts";
import { runSeed, type SeedResult } from "./run-seed.ts";
import { resultLine, summaryLine } from "./report.ts";
import { SharedServices } from "./services.ts";
import { SLOTS } from "./stage.ts";

export interface ChaosOptions {
  readonly from: number;
  readonly seeds: number;
  readonly lanes: number;
  readonly mode: Mode;
  /** Begins no further seed after a result like this. */
  readonly until?: (result: SeedResult) => boolean;
  readonly write: (line: string) => void;
}

export interface ChaosResult {
  readonly results: readonly SeedResult[];
  readonly summary: string;
}

/** Processes that are loaded ahead for a lane: one dies in most seconds. */
const AHEAD = 1;

export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { from, seeds, mode, until, write } = options;
  const began = Date.now();
  const dir = mkdtempSync(join(tmpdir(), "sluice-chaos-"));
  const services = await SharedServices.start(dir);
  const results: SeedResult[] = [];
  let next = from;
  const isOver = () => next >= from + seeds || (until !== undefined && results.some(until));
  const play = async (number: number) => {
    const logs = join(dir, `processes-${number}`);
    mkdirSync(logs);
    const wings = new Wings(logs, AHEAD);
    const ports = { redis: 1, postgres: services.postgres.port, s3: portOf(services.s3.endpoint) };
    // The last wires are the operator's.
    const network = await Network.open(SLOTS + 1, ports);
    try {
      while (!isOver()) {
        const seed = next++;
        const result = await runSeed({ services, network, wings, dir }, seed, mode);
        results.push(result);
        write(resultLine(result, mode));
      }
    } finally {
      await wings.close();
      network.close();
    }
  };
  const ends = await Promise.allSettled(
    Array.from({ length: Math.min(options.lanes, seeds) }, (_, number) => play(number)),
  );
  await services.stop();
  const isClean = results.every(({ violations }) => violations.length === 0);
  if (isClean) rmSync(dir, { recursive: true, force: true });
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  results.sort((a, b) => a.seed - b.seed);
  const summary = summaryLine(results, mode, (Date.now() - began) / 1000);
  write(summary);
  return { results, summary };
}

function portOf(endpoint: string): number {
  return Number(new URL(endpoint).port);
}
