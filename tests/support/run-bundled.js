/**
 * Runs a test's own program as one bundle:
 * `node tests/support/run-bundled.js /…/tests/faults/children/worker.ts argument`.
 */
import { pathToFileURL } from "node:url";
import { bundledChildren } from "./bundles.js";

process.setSourceMapsEnabled(true);
process.argv.splice(1, 1);
const [, script = ""] = process.argv;
const modules = await bundledChildren();
const module = modules[pathToFileURL(script).href];
if (module === undefined) throw new Error(`there is no bundle of ${script}`);
await import(module);
