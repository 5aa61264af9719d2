/**
 * What Node asks for the text of a module: of a TypeScript file it gets the JavaScript that is left
 * without its types. A result is kept, by the text that it was made of, so that a process that starts
 * compiles nothing: starting took twice as long. Types are not checked.
 */

import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

const TYPESCRIPT = /\.[mt]?ts$/;

const esbuild = createRequire(import.meta.url)("esbuild/package.json").version;
const kept = new URL("../node_modules/.cache/sluice/", import.meta.url);

/** @type {import("node:module").LoadHook} */
export async function load(url, context, next) {
  if (!url.startsWith("file:") || !TYPESCRIPT.test(new URL(url).pathname)) {
    return next(url, context);
  }
  const file = fileURLToPath(url);
  const text = await readFile(file);
  return { format: "module", source: await withoutTypes(file, text), shortCircuit: true };
}

async function withoutTypes(file, text) {
  const hash = createHash("sha256")
    .update(`${esbuild}\0${basename(file)}\0`)
    .update(text);
  const place = new URL(`${hash.digest("hex")}.js`, kept);
  try {
    return await readFile(place, "utf8");
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
