/**
 * Three projects: pure tests share a process, and so do those on real services, and load what they
 * import once; what is about the process itself has one for each file.
 */
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The longest first. Without an earlier run vitest goes by size, and minutes of chaos would begin last. */
const LONG = ["/chaos/", "/e2e/", "/faults/", "/model/", "/queue/", "/embedded/", "/data/"];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) =>
      [...LONG, ""].findIndex((folder) => moduleId.includes(folder));
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

const PURE = ["tests/unit/**/*.test.ts"];
/** What changes its process's environment, or measures its memory. */
const ALONE = [
  "tests/e2e/browser.test.ts",
  "tests/integration/examples/shop.test.ts",
  "tests/invariants/ceilings.test.ts",
];
const globalSetup = ["tests/support/global-setup.ts", "tests/support/bundles.js"];
const setupFiles = ["tests/support/set-up.ts"];

export default defineConfig({
  test: {
    // Starting a program takes a second, and on a busy machine several.
    testTimeout: 180_000,
    hookTimeout: 60_000,
    // A condition that is waited for may take long on a busy machine.
    expect: { poll: { timeout: 10_000 } },
    // One more than the processors of a small machine: much of a test is waiting.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    projects: [
      { extends: true, test: { name: "pure", include: PURE, isolate: false, setupFiles } },
      {
        extends: true,
        test: {
          name: "real",
          include: ["tests/**/*.test.ts"],
          exclude: [...PURE, ...ALONE],
          isolate: false,
          setupFiles,
          globalSetup,
        },
      },
      { extends: true, test: { name: "alone", include: ALONE, setupFiles, globalSetup } },
    ],
  },
});
