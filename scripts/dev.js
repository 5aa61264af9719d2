/** `npm run dev`: the development stack with the sample pipeline and Bull Board, until Ctrl-C. */

import { runSource } from "./run-source.js";

process.argv.splice(2, 0, "dev");
await runSource("../bin/sluice.js");
