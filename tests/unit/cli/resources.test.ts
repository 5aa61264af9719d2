/** What `sluice resources` prints. */
import { describe, expect, test } from "vitest";
import { resourceLines } from "../../../src/cli/commands/resources.ts";

const at = Date.parse("2026-11-22T02:31:07Z");
const holder = { id: "Load_1", name: "Load(n=1)", units: 1, since: at, silent: false };
const waiter = (n: number, units = 1) => ({ id: `Load_${n}`, name: `Load(n=${n})`, units });
const redshift = {
  name: "redshift",
  limit: 2,
  configured: 2,
  inUse: 1,
  holders: [holder],
  waiting: [],
};

describe("a resource", () => {
  test("says how much is in use, who holds it, and who is next", () => {
    const waiting = [waiter(2, 2), waiter(13)];
    expect(resourceLines([{ ...redshift, waiting }])).toEqual([
      "redshift: 1 of 2 in use",
      expect.stringMatching(/^ {2}Load\(n=1\) {3}holds 1 since 2026-11-22 02:31:07Z \(.* ago\)$/),
      "  Load(n=2)   waits for 2, next",
      "  Load(n=13)  waits for 1, behind 1",
    ]);
  });

  test("says when an operator set its limit, when nothing begins, and who waits for more than it has", () => {
    const [first, , next] = resourceLines([
      { ...redshift, limit: 0, configured: 4, waiting: [waiter(2)] },
    ]);
    expect(first).toBe(
      "redshift: 1 of 0 in use (set by an operator; the project's is 4): nothing begins",
    );
    expect(next).toMatch(
      /waits for 1, next: more than the limit, so it waits until that is raised$/,
    );
  });

  test("whose holder is silent says that its units come back; many who wait are counted", () => {
    const waiting = Array.from({ length: 12 }, (_, n) => waiter(n));
    const lines = resourceLines([{ ...redshift, holders: [{ ...holder, silent: true }], waiting }]);
    expect(lines[1]).toContain("its worker is silent: its units come back soon");
    expect(lines.at(-1)).toBe("  … and 2 more wait: --json has all");
  });

  test("is named in defineConfig: a project without one is told how", () => {
    expect(resourceLines([])[0]).toContain("defineConfig({ resources: { redshift: 4 } })");
  });
});
