/** `npm run demo`: the sample pipeline for yesterday, on services that it brings up itself. */

import { runSource } from "./run-source.js";

process.argv.splice(2, 0, "demo");
await runSource("../bin/sluice.js");
