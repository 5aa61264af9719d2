/**
 * Two projects: pure tests share a process, and so load what they import once; all others have one each,
 * because what their files open is closed by hooks of the modules that opened it.
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

const PURE = "tests/unit/**/*.test.ts";

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A condition that is waited for may take long on a busy machine.
    expect: { poll: { timeout: 10_000 } },
    // One more than the processors of a small machine: much of a test is waiting.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    projects: [
      { extends: true, test: { name: "pure", include: [PURE], isolate: false } },
      {
        extends: true,
        test: {
          name: "real",
          include: ["tests/**/*.test.ts"],
          exclude: [PURE],
          globalSetup: ["tests/support/global-setup.ts"],
        },
      },
    ],
  },
});
