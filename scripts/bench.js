/** `npm run bench -- engine`, `data`, `memory` or `compression`: side-by-side measurements; each prints how it was made. */

import { runSource } from "./run-source.js";

const [name = ""] = process.argv.slice(2);
const benches = ["engine", "data", "memory", "compression"];
if (benches.includes(name)) {
  await runSource(`../bench/${name}.ts`);
} else {
  process.stderr.write(`npm run bench -- <name>, one of: ${benches.join(", ")}\n`);
  process.exitCode = 2;
}
