/** What `npm run chaos` does, with fixed seeds, and the proof that its checks can see a violation. */
import { beforeAll, describe, expect, test } from "vitest";
import { INVARIANTS, isCaught } from "./checks.ts";
import { type ChaosResult, runChaos } from "./run-chaos.ts";

const SEEDS = 20;
const write = (line: string) => void process.stdout.write(`${line}\n`);

describe(`${SEEDS} seeds of chaos`, () => {
  let chaos: ChaosResult;

  beforeAll(async () => {
    chaos = await runChaos({ from: 1, seeds: SEEDS, lanes: 2, mode: "fenced", write });
  }, 900_000);

  test("all of them ran, and things were broken", () => {
    expect(chaos.results.length).toBe(SEEDS);
    expect(chaos.results.flatMap(({ faults }) => faults).length).toBeGreaterThan(SEEDS);
  });

  test.for(INVARIANTS)("%s", (invariant) => {
    const violations = chaos.results.flatMap(({ seed, violations }) =>
      violations.filter((each) => each.invariant === invariant).map(({ text }) => [seed, text]),
    );
    expect(violations).toEqual([]);
  });
});

test("writing in place, without lease or fence, is caught within 10 seeds", async () => {
  const { results } = await runChaos({
    from: 1,
    seeds: 10,
    lanes: 2,
    mode: "naive",
    until: isCaught,
    write,
  });
  expect(results.some(isCaught)).toBe(true);
}, 300_000);
