/** `npm run bench -- engine`, `data` or `memory`: side-by-side measurements; each prints how it was made. */

import { runSource } from "./run-source.js";

const [name = ""] = process.argv.slice(2);
const benches = ["engine", "data", "memory"];
if (benches.includes(name)) {
  await runSource(`../bench/${name}.ts`);
} else {
  process.stderr.write(`npm run bench -- <name>, one of: ${benches.join(", ")}\n`);
  process.exitCode = 2;
}
