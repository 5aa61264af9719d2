/** The lines that a chaos run prints. */
import type { Mode } from "./dataset.ts";
import type { SeedResult } from "./run-seed.ts";

export function resultLine(result: SeedResult, mode: Mode): string {
  const { seed, tasks, edges, faults, violations, dir } = result;
  const names = faults.map(({ name, detail }) => (detail === "" ? name : `${name} (${detail})`));
  const line = [
    `seed ${seed}: ${tasks} tasks, ${edges} edges`,
    names.join(" + ") || "no faults",
    `${result.runs} runs, ${result.reexecutions} repeated`,
    `${result.fenced} fenced, ${result.lost} lost`,
    `converged in ${result.convergence.toFixed(1)} s, ${result.seconds.toFixed(1)} s in all`,
    violations.length === 0 ? "ok" : `${violations.length} VIOLATIONS`,
  ].join(" · ");
  if (violations.length === 0) return line;
  const repeat = `npm run chaos -- --seeds 1 --from ${seed}${mode === "naive" ? " --naive" : ""}`;
  return [
    line,
    ...violations.slice(0, 10).map(({ invariant, text }) => `  ${invariant}: ${text}`),
    `  kept in ${dir}; again: ${repeat}`,
  ].join("\n");
}

export function summaryLine(results: readonly SeedResult[], mode: Mode, seconds: number): string {
  const sum = (of: (result: SeedResult) => number) =>
    results.reduce((total, result) => total + of(result), 0);
  const bad = results.filter(({ violations }) => violations.length > 0);
  const slowest = Math.max(0, ...results.map(({ convergence }) => convergence));
  return [
    `chaos ${mode}: ${results.length} seeds`,
    `${sum(({ tasks }) => tasks)} tasks`,
    `${sum(({ faults }) => faults.length)} faults`,
    `${sum(({ reexecutions }) => reexecutions)} runs repeated`,
    `${sum(({ fenced }) => fenced)} commits fenced`,
    `${sum(({ lost }) => lost)} attempts lost`,
    `slowest convergence ${slowest.toFixed(1)} s`,
    `${sum(({ violations }) => violations.length)} violations in ${bad.length} seeds`,
    `${seconds.toFixed(0)} s`,
  ].join(" · ");
}
