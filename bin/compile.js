/**
 * Compiles every source beforehand, and the bundle of the command line: `node bin/compile.js src workers`.
 * For images, where no process may write what it compiled, so that each would compile it at every start.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { bundled } from "./bundle.js";
import { isTypeScript, withoutTypes } from "./strip-types.js";

for (const folder of process.argv.slice(2)) {
  const names = (await readdir(folder, { recursive: true })).filter(isTypeScript);
  for (const name of names) {
    const file = join(folder, name);
    await withoutTypes(file, await readFile(file));
  }
  process.stdout.write(`${folder}: ${names.length} sources\n`);
}
await bundled();
