/**
 * Runs a test's own program as one bundle, which starts twice as fast as its sources one by one:
 * `node tests/support/run-bundled.js /…/tests/faults/children/worker.ts argument`.
 */
import { readdirSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { bundled } from "../../bin/bundle.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const CHILD = /\/children\/[^/]+\.ts$/;

process.setSourceMapsEnabled(true);
process.argv.splice(1, 1);
const [, script = ""] = process.argv;
const children = readdirSync(`${root}tests`, { recursive: true, encoding: "utf8" })
  .map((name) => `tests/${name}`)
  .filter((name) => CHILD.test(name))
  .toSorted();
const modules = await bundled(children, ["tests"]);
const module = modules[pathToFileURL(script).href];
if (module === undefined) throw new Error(`there is no bundle of ${relative(root, script)}`);
await import(module);
