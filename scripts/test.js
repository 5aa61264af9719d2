/**
 * `npm test`: the checks (types, lint, format, dead code) and all tests. `npm test -- tests/unit`
 * runs those tests only, without the checks. The last line is `N passed, N failed`; a failed check, a
 * file that does not load and an error outside any test each count as one failure.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { endWithNpm } from "./end-with-npm.js";
import { ensureInstalled } from "./install.js";

// The SDK's version is pinned, so its advice about future versions is not for the user.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

const args = process.argv.slice(2);
endWithNpm();
await ensureInstalled({ production: false });
const checked = args.length > 0 || (await check());
const { passed, failed } = await test();
const failures = failed + (checked ? 0 : 1);
process.stdout.write(`${passed} passed, ${failures} failed\n`);
if (failures > 0) process.exitCode = 1;

async function check() {
  const npm = spawn("npm", ["run", "check"], { stdio: ["ignore", "inherit", "inherit"] });
  const [code] = await once(npm, "close");
  return code === 0;
}

async function test() {
  const { parseCLI, startVitest } = await import("vitest/node");
  const { filter, options } = parseCLI(["vitest", "run", ...args]);
  const vitest = await startVitest("test", filter, { ...options, watch: false });
  const modules = vitest.state.getTestModules();
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  const withState = (state) => tests.filter((test) => test.result().state === state).length;
  const suites = modules.flatMap((module) => [module, ...module.children.allSuites()]);
  const broken = suites.filter((suite) => suite.errors().length > 0).length;
  const counts = {
    passed: withState("passed"),
    failed: withState("failed") + broken + vitest.state.getUnhandledErrors().length,
  };
  // vitest reports some failures, such as a filter that matches no file, by the exit code only.
  if (process.exitCode && counts.failed === 0) counts.failed = 1;
  return counts;
}
