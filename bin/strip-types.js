/**
 * What Node asks for where a module is, and for its text: of a TypeScript file it gets the JavaScript
 * that is left without its types. A result is kept, by the text that it was made of, so that a process
 * that starts compiles nothing: starting took twice as long. Types are not checked.
 */

import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

const esbuild = createRequire(import.meta.url)("esbuild/package.json").version;
const kept = new URL("../node_modules/.cache/sluice/", import.meta.url);

/** @type {Map<string, string>} */
let instead = new Map();

/**
 * A process that runs a bundle has our sources in it, and gets no second copy of them.
 *
 * @type {import("node:module").InitializeHook<Record<string, string> | undefined>}
 */
export function initialize(modules = {}) {
  instead = new Map(Object.entries(modules));
}

/**
 * People write `./tasks.js` or `./tasks` where the file is `tasks.ts`, as their compiler wants it.
 *
 * @type {import("node:module").ResolveHook}
 */
export async function resolve(specifier, context, next) {
  try {
    const found = await next(specifier, context);
    return { ...found, url: instead.get(found.url) ?? found.url };
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND" || !/^\.{1,2}\//.test(specifier)) throw error;
    const source = `${specifier.replace(/\.js$/, "")}.ts`;
    return await next(source, context).catch(() => {
      throw error;
    });
  }
}

/** @type {import("node:module").LoadHook} */
export async function load(url, context, next) {
  if (!url.startsWith("file:")) return next(url, context);
  const file = fileURLToPath(url);
  if (isTypeScript(file)) {
    const source = await withoutTypes(file, readFileSync(file));
    return { format: "module", source, shortCircuit: true };
  }
  if (context.format !== "module") return next(url, context);
  return { format: "module", source: readFileSync(file), shortCircuit: true };
}

export function isTypeScript(file) {
  return /\.m?ts$/.test(file);
}

/** The JavaScript of a source, as it is kept or else as it is compiled now. */
export async function withoutTypes(file, text) {
  const hash = createHash("sha256")
    .update([esbuild, process.version, basename(file), ""].join("\0"))
    .update(text);
  const place = new URL(`${hash.digest("hex")}.js`, kept);
  try {
    return readFileSync(place, "utf8");
  } catch {
    const code = await compile(file, text);
    // Where nothing can be written, as in a container, each process compiles for itself.
    await keep(place, code).catch(() => undefined);
    return code;
  }
}

async function compile(file, text) {
  const { transform } = await import("esbuild");
  const { code } = await transform(text, {
    loader: "ts",
    format: "esm",
    target: `node${process.versions.node}`,
    sourcefile: basename(file),
    sourcemap: "inline",
    sourcesContent: false,
  });
  return code;
}

/** Another process may do the same, or read it, at the same time. */
async function keep(place, code) {
  await mkdir(kept, { recursive: true });
  const draft = new URL(randomUUID(), kept);
  await writeFile(draft, code);
  await rename(draft, place);
}
