/** What `npm run chaos` does, with fixed seeds, and the proof that its checks can see a violation. */
import { expect, test } from "vitest";
import { runChaos } from "./run-chaos.ts";

const write = (line: string) => void process.stdout.write(`${line}\n`);

test("20 seeds of chaos violate no invariant", async () => {
  const { results } = await runChaos({ from: 1, seeds: 20, lanes: 2, mode: "fenced", write });
  const violations = results.flatMap(({ violations }) => violations);
  expect(violations).toEqual([]);
  expect(results.length).toBe(20);
}, 600_000);

test("writing in place, without lease or fence, is caught within 10 seeds", async () => {
  const { results } = await runChaos({
    from: 1,
    seeds: 10,
    lanes: 2,
    mode: "naive",
    stopAtFirst: true,
    write,
  });
  expect(results.some(({ violations }) => violations.length > 0)).toBe(true);
}, 300_000);
