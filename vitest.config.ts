import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    globalSetup: ["tests/support/global-setup.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A condition that is waited for may take long on a busy machine.
    expect: { poll: { timeout: 10_000 } },
    maxWorkers: 2,
  },
});
