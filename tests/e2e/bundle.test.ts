/** The bundle that the command line runs as: it follows its sources, and nothing depends on it. */
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tempDir } from "../support/services.ts";
import { REPOSITORY, start } from "./support/command.ts";

/** The program elsewhere, with the packages that are installed here, and a cache of its own. */
function copyOfProgram(): string {
  const copy = tempDir();
  for (const each of ["bin", "src", "workers", "dashboard", "examples", "package.json"]) {
    cpSync(join(REPOSITORY, each), join(copy, each), { recursive: true });
  }
  mkdirSync(join(copy, "node_modules"));
  for (const each of readdirSync(join(REPOSITORY, "node_modules"))) {
    if (each === ".cache") continue;
    symlinkSync(join(REPOSITORY, "node_modules", each), join(copy, "node_modules", each));
  }
  return copy;
}

async function sluice(program: string, ...args: string[]) {
  return await start([process.execPath, join(program, "bin/sluice.js"), ...args], { env: {} })
    .ended;
}

const GRAPH = ["graph", "TableSizes", "--date", "2026-11-21", "--config"];
const HELLO = "examples/hello/sluice.config.ts";

test("packages or a source that were changed are what runs, and the stack of an error has its lines", async () => {
  const program = copyOfProgram();
  const bundles = join(program, "node_modules/.cache/sluice/bundles");
  expect(await sluice(program, "--help")).toMatchObject({ code: 0, stderr: "" });
  expect(await sluice(program, "--help")).toMatchObject({ code: 0, stderr: "" });
  expect(readdirSync(bundles)).toHaveLength(1);

  const installed = join(program, "node_modules/.package-lock.json");
  rmSync(installed);
  writeFileSync(installed, "another version of something");
  expect(await sluice(program, "--help")).toMatchObject({ code: 0, stderr: "" });
  expect(readdirSync(bundles)).toHaveLength(2);

  const weeksAgo = Date.now() / 1000 - 20 * 86_400;
  for (const each of readdirSync(bundles)) utimesSync(join(bundles, each), weeksAgo, weeksAgo);
  const source = join(program, "src/cli/graph-format.ts");
  appendFileSync(source, "\ninterface Any {}\n\nthrow new Error(`changed`);\n");
  const { code, stderr } = await sluice(program, "--help");
  expect(code).toBe(1);
  expect(stderr).toMatch(/Error: changed\n\s+at .*\/src\/cli\/graph-format\.ts:\d+:7/);
  // Those of long ago are gone.
  expect(readdirSync(bundles)).toHaveLength(1);
});

test("where nothing can be written the sources run; a source that is broken is named", async () => {
  const program = copyOfProgram();
  // Even for root, nothing can be written below a file.
  writeFileSync(join(program, "node_modules/.cache"), "");
  const ended = await sluice(program, ...GRAPH, join(program, HELLO));
  expect(ended).toMatchObject({ code: 0, stderr: "" });
  expect(ended.stdout).toContain("DumpTableSizes(date=2026-11-21)");

  appendFileSync(join(program, "src/cli/graph-format.ts"), "\nconst x: = 1;\n");
  expect((await sluice(program, "--help")).stderr).toMatch(/graph-format\.ts:\d+:\d+: ERROR/);
});
