/** `npm run demo`: the sample pipeline for yesterday, on services that it brings up itself. */

import { runSource } from "./run-source.js";

await runSource("../src/cli/demo.ts");
