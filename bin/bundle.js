/**
 * A program as few files of JavaScript, made at its first start and again when a source or a package was
 * changed: Node asks its hooks for each import of each module, and with the thousand of ours and of our
 * packages starting takes twice as long. What users import themselves stays as it is installed.
 * Types are not checked.
 */

import { createHash, randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const { dependencies } = createRequire(import.meta.url)("../package.json");
const root = fileURLToPath(new URL("..", import.meta.url));
const kept = join(root, "node_modules/.cache/sluice/bundles");

/** Milliseconds. */
const WEEK = 7 * 86_400_000;

/** Sources that the bundle may be made of. */
const FOLDERS = ["src", "workers", "dashboard", "examples"];

/** What npm installed: each package with its version. */
const installed = join(root, "node_modules/.package-lock.json");

/** What users import, and the command line: all that a process loads of ours comes from one bundle. */
const PROGRAM = ["src/index.ts", "src/embedded/redshift/stand-in.ts", "src/cli/main.ts"];

/** Packages in CommonJS require Node's modules, and what may be installed beside them. */
const REQUIRE = `import { createRequire as $createRequire } from "node:module";
const require = $createRequire(${JSON.stringify(import.meta.url)});`;

/**
 * The modules that stand for sources, by the URL of the source. Nothing stands for any of them where
 * nothing can be written or a source is broken.
 *
 * @param {readonly string[]} [entries] More sources, relative to the repository.
 * @param {readonly string[]} [folders] What these are made of.
 * @returns {Promise<Record<string, string>>}
 */
export async function bundled(entries = [], folders = []) {
  const sources = [...PROGRAM, ...entries];
  const folder = join(kept, fingerprint(sources, [...FOLDERS, ...folders]));
  if (!existsSync(folder) && !(await make(sources, folder))) return {};
  return Object.fromEntries(
    sources.map((source) => {
      const module = join(folder, source.replace(/\.ts$/, ".js"));
      return [pathToFileURL(join(root, source)).href, pathToFileURL(module).href];
    }),
  );
}

function fingerprint(entries, folders) {
  const circumstances = [root, process.version, dependencies, entries];
  const hash = createHash("sha256").update(JSON.stringify(circumstances));
  hash.update(readFileSync(fileURLToPath(import.meta.url)));
  if (existsSync(installed)) hash.update(readFileSync(installed));
  for (const folder of folders) {
    const names = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
    for (const name of names.toSorted()) {
      if (!name.endsWith(".ts")) continue;
      hash.update(`\0${folder}/${name}\0`).update(readFileSync(join(root, folder, name)));
    }
  }
  return hash.digest("hex");
}

async function make(entryPoints, folder) {
  const draft = join(kept, randomUUID());
  try {
    await mkdir(draft, { recursive: true });
    const { build } = await import("esbuild");
    await build({
      absWorkingDir: root,
      entryPoints,
      outbase: root,
      outdir: draft,
      bundle: true,
      splitting: true,
      format: "esm",
      platform: "node",
      target: `node${process.versions.node}`,
      // As Node chooses among a package's forms: it knows no condition "module".
      conditions: [],
      external: ["pg-native"],
      banner: { js: REQUIRE },
      minifyWhitespace: true,
      minifySyntax: true,
      alias: { sluice: "./src/index.ts" },
      sourcemap: "linked",
      sourcesContent: false,
      logLevel: "silent",
      plugins: [{ name: "places", setup: keepPlaces }],
    });
    await rename(draft, folder);
    await removeOld();
    return true;
  } catch {
    await rm(draft, { recursive: true, force: true }).catch(() => undefined);
    // Another process may have made it meanwhile.
    return existsSync(folder);
  }
}

/** A process that runs may still load a part of a bundle, but hardly of sources of a week ago. */
async function removeOld() {
  for (const name of await readdir(kept)) {
    const bundle = join(kept, name);
    const { mtimeMs } = await stat(bundle);
    if (Date.now() - mtimeMs > WEEK) await rm(bundle, { recursive: true, force: true });
  }
}

/** A source finds the files beside it, wherever the bundle is. */
function keepPlaces(build) {
  build.onLoad({ filter: /\.ts$/ }, async ({ path }) => ({
    loader: "ts",
    contents: (await readFile(path, "utf8"))
      .replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href))
      .replaceAll("import.meta.dirname", JSON.stringify(dirname(path))),
  }));
}
