/**
 * Tests' own programs, each as one bundle, which starts twice as fast as its sources one by one.
 * All bundles are made before the first test: many processes that start at once would each make them.
 */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bundled } from "../../bin/bundle.js";

const tests = fileURLToPath(new URL("..", import.meta.url));
const CHILD = /\/children\/[^/]+\.ts$/;

export async function setup() {
  await bundled();
  await bundledChildren();
}

/** The modules that stand for their sources, by the URL of the source. */
export async function bundledChildren() {
  const children = readdirSync(tests, { recursive: true, encoding: "utf8" })
    .map((name) => `tests/${name}`)
    .filter((name) => CHILD.test(name))
    .toSorted();
  return await bundled(children, ["tests"]);
}
